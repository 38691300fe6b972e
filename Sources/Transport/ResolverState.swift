import CLinux
import Glibc
import NameResolution
import Primitives
import Synchronization

/// What the resolver's thread and its callers share; the thread holds it, so that the resolver itself can go.
///
/// A caller only leaves its wish: it never waits for what the thread is doing.
final class ResolverState: Sendable {
    private struct Wish {
        let query: TargetQuery
        let requester: IPAddress
        let completion: Resolver.Completion
    }

    private struct Inbox {
        var wishes: [Wish] = []
        var isStopped = false
        var sizes = (resolutions: 0, questions: 0, answers: 0)
    }

    private let inbox = Mutex(Inbox())
    private let event: FileDescriptor
    private let settings: NameResolver.Settings
    private let files: ResolverFiles
    private let key: HashKey
    private let sockets: ResolverSockets

    /// How long the files are taken to be as they were, in milliseconds.
    private static let fileTime: UInt64 = 1000
    /// Wishes that may wait for the thread, which takes them many times a second.
    private static let wishLimit = 10_000

    init(_ settings: NameResolver.Settings, files: ResolverFiles, key: HashKey) throws(SystemError) {
        let flags = Int32(EFD_NONBLOCK) | Int32(EFD_CLOEXEC)
        event = FileDescriptor(try System.check(eventfd(0, flags), "eventfd"))
        sockets = try ResolverSockets(knock: event.number)
        self.settings = settings
        self.files = files
        self.key = key
    }

    /// As the thread last left them.
    var sizes: (resolutions: Int, questions: Int, answers: Int) { inbox.withLock { $0.sizes } }

    /// Leaves a wish; false when too many wait.
    func resolve(_ query: TargetQuery, _ requester: IPAddress, _ completion: @escaping Resolver.Completion) -> Bool {
        let isTaken = inbox.withLock { inbox in
            if inbox.wishes.count >= Self.wishLimit { return false }
            inbox.wishes.append(Wish(query: query, requester: requester, completion: completion))
            return true
        }
        if isTaken { eventfd_write(event.number, 1) }
        return isTaken
    }

    /// Ends the thread.
    func stop() {
        inbox.withLock { $0.isStopped = true }
        eventfd_write(event.number, 1)
    }

    // MARK: The thread

    /// The body of the thread, which alone touches the sockets.
    func run() {
        clinux_name_thread("resolver")
        var files = files
        var filesSeen: Instant?
        var resolver = NameResolver(settings, key: key, now: System.now().instant)
        var completions: [UInt64: Resolver.Completion] = [:]
        var lastNumber: UInt64 = 0
        while true {
            let (wishes, isStopped) = inbox.withLock { inbox in
                defer { inbox.wishes = [] }
                return (inbox.wishes, inbox.isStopped)
            }
            if isStopped { return }
            let now = System.now().instant
            resolver.tick(now: now)
            if !wishes.isEmpty, filesSeen.map({ now.milliseconds(since: $0) >= Self.fileTime }) != false {
                filesSeen = now
                if settings.servers.isEmpty, let servers = files.changedServers() { resolver.replaceServers(servers) }
                if let hosts = files.changedHosts() { resolver.hosts = hosts }
            }
            for wish in wishes {
                lastNumber += 1
                switch resolver.resolve(wish.query, for: lastNumber, requester: wish.requester, now: now) {
                case .answered(let answer): wish.completion(answer)
                case .waits: completions[lastNumber] = wish.completion
                }
            }
            carryOut(&resolver, &completions, now)
            inbox.withLock { $0.sizes = resolver.sizes }
            var timeout: Int32 = -1
            if let wake = resolver.nextWake {
                timeout = Int32(clamping: wake.milliseconds(since: System.now().instant))
            }
            sockets.wait(timeout: timeout) { event in
                let now = System.now().instant
                switch event {
                case .received(let bytes, let queries):
                    return resolver.received(bytes, among: queries, now: now)
                case .failed(let queries):
                    for query in queries { resolver.failed(query, now: now) }
                    return true
                }
            }
        }
    }

    /// Sends what is to be sent, and gives answers to those who wait. What fails at once brings more of both.
    private func carryOut(
        _ resolver: inout NameResolver, _ completions: inout [UInt64: Resolver.Completion], _ now: Instant
    ) {
        while !resolver.effects.isEmpty {
            let effects = resolver.effects
            resolver.effects = []
            for effect in effects {
                switch effect {
                case .send(let number, let query, let server, let isStream):
                    if !sockets.send(query.bytes, number, to: server, isStream: isStream) {
                        resolver.failed(number, now: now)
                    }
                case .close(let number): sockets.close(number)
                case .complete(let number, let answer): completions.removeValue(forKey: number)?(answer)
                }
            }
        }
    }
}
