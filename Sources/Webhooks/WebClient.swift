import CLinux
import CallControl
import Dispatch
import Glibc
import Primitives
import Synchronization

/// Finds the addresses of a host name; calls back once, from any thread, with nil or none when there is none.
public typealias HostLookup =
    @Sendable (
        _ host: String, _ completion: @escaping @Sendable ([IPAddress]?) -> Void
    ) -> Void

/// Asks applications by HTTP, on a thread of its own: whoever hands it a request never waits.
///
/// Plain HTTP is done here, with connections to the very addresses that were checked; https by URLSession.
public final class WebClient: Sendable {
    private let thread: WebThread

    /// A client with a thread of its own.
    public init(_ settings: WebhookSettings, lookup: @escaping HostLookup) throws(WebClientFailure) {
        thread = try WebThread(settings, lookup)
        try thread.start()
    }

    deinit { stop() }

    /// Takes over new settings, for requests that begin from now on.
    public func replaceSettings(_ settings: WebhookSettings) { thread.post(.settings(settings)) }

    /// Makes a request; `completion` is called once, on a thread that may wait for a while.
    ///
    /// - Parameter isCallback: Its answer is only looked at for its status.
    public func fetch(
        _ request: WebhookRequest, isCallback: Bool = false, completion: @escaping @Sendable (WebhookReport) -> Void
    ) {
        thread.post(.begin(request, isCallback, completion))
    }

    /// Requests that are under way or wait.
    public var pending: Int { thread.pending }

    /// Gives up all requests and ends the thread. A second call does nothing.
    public func stop() { thread.post(.stop) }
}

/// Why there is no client.
public struct WebClientFailure: Error, CustomStringConvertible {
    /// The system's words.
    public let description: String
}

/// The thread of a client: an epoll loop with all connections, requests and their deadlines.
final class WebThread: @unchecked Sendable {
    // Unchecked: all that is not behind `mailbox` is touched on the thread alone.
    enum Command: Sendable {
        case begin(WebhookRequest, Bool, @Sendable (WebhookReport) -> Void)
        case resolved(UInt64, UInt64, [IPAddress]?)
        case secure(UInt64, UInt64, SecureResult)
        case settings(WebhookSettings)
        case stop
    }

    private struct Mailbox {
        var commands: [Command] = []
        var isStopped = false
        var pending = 0
    }

    private let mailbox = Mutex(Mailbox())
    private let poller: Int32
    private let wake: Int32
    let lookup: HostLookup
    /// Where answers are parsed and handed over.
    let results = DispatchQueue(label: "rollcall.webhooks", attributes: .concurrent)
    private(set) var settings: WebhookSettings
    /// Made with the first request by https.
    private(set) lazy var secureClient = SecureClient()
    private var hasSecureClient = false
    var exchanges: [UInt64: WebExchange] = [:]
    var turns = WebTurns()
    private var lastID: UInt64 = 0
    private var connections: [UInt64: WebConnection] = [:]
    /// Connections that are kept for further requests, the last used behind.
    private var kept: [String: [WebConnection]] = [:]
    private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 65_536, alignment: 16)
    private var nextSweep: UInt64 = 0
    private(set) var now: UInt64 = 0

    /// How long a connection is kept.
    private static let keepTime: UInt64 = 15_000
    /// The connections to one place that are kept.
    private static let keepLimit = 64
    /// Those to all places together.
    private static let keepAllLimit = 256
    /// The shortest time for a connection to be made, when there is another place to try.
    private static let connectTime: UInt64 = 1_000

    init(_ settings: WebhookSettings, _ lookup: @escaping HostLookup) throws(WebClientFailure) {
        self.settings = settings
        self.lookup = lookup
        turns.limit = settings.concurrent
        poller = epoll_create1(Int32(EPOLL_CLOEXEC))
        wake = eventfd(0, Int32(EFD_CLOEXEC | EFD_NONBLOCK))
        guard poller >= 0, wake >= 0 else { throw WebClientFailure(description: String(cString: strerror(errno))) }
        _ = watch(wake, 0, EPOLL_CTL_ADD, EPOLLIN.rawValue)
    }

    deinit {
        close(poller)
        close(wake)
        buffer.deallocate()
    }

    func start() throws(WebClientFailure) {
        var thread = pthread_t()
        let box = Unmanaged.passRetained(self)
        let result = pthread_create(
            &thread, nil,
            { argument in
                if let argument { Unmanaged<WebThread>.fromOpaque(argument).takeRetainedValue().run() }
                return nil
            }, box.toOpaque())
        if result != 0 {
            box.release()
            throw WebClientFailure(description: String(cString: strerror(result)))
        }
        pthread_detach(thread)
    }

    var pending: Int { mailbox.withLock { $0.pending } }

    /// Hands something to the thread, from any thread.
    func post(_ command: Command) {
        let refused = mailbox.withLock { mailbox -> Bool in
            if mailbox.isStopped { return true }
            if case .begin = command { mailbox.pending += 1 }
            if case .stop = command { mailbox.isStopped = true }
            mailbox.commands.append(command)
            return false
        }
        if refused {
            guard case .begin(let request, _, let completion) = command else { return }
            let url = WebURL(request.address.url)?.shown ?? ""
            let failure = WebhookFailure.make(
                .connection, "The server is about to end, and asks no application any more.", "Try again.", url: url)
            results.async {
                completion(WebhookReport(answer: .failed(failure), status: nil, milliseconds: 0, url: url))
            }
            return
        }
        var one: UInt64 = 1
        _ = write(wake, &one, 8)
    }

    /// Counts a request that has been answered.
    func noteEnd() { mailbox.withLock { $0.pending -= 1 } }

    private func run() {
        var events = [epoll_event](repeating: epoll_event(), count: 256)
        while true {
            now = WebThread.clock()
            let isBusy = !exchanges.isEmpty || !turns.isEmpty
            let count = epoll_wait(poller, &events, Int32(events.count), isBusy ? 20 : connections.isEmpty ? -1 : 1000)
            now = WebThread.clock()
            for event in events.prefix(max(0, Int(count))) {
                if event.data.u64 == 0 {
                    var value: UInt64 = 0
                    _ = read(wake, &value, 8)
                } else if let connection = connections[event.data.u64] {
                    handle(connection, event.events)
                }
            }
            let commands = mailbox.withLock { mailbox in
                defer { mailbox.commands.removeAll(keepingCapacity: mailbox.commands.capacity < 4096) }
                return mailbox.commands
            }
            for command in commands {
                if case .stop = command { return finish() }
                handle(command)
            }
            if now >= nextSweep {
                nextSweep = now &+ 20
                sweep()
            }
        }
    }

    private func handle(_ command: Command) {
        switch command {
        case .begin(let request, let isCallback, let completion):
            lastID += 1
            begin(lastID, request, isCallback, completion)
        case .resolved(let id, let generation, let addresses):
            guard let exchange = exchanges[id], exchange.generation == generation else { return }
            resolved(exchange, addresses ?? [])
        case .secure(let id, let generation, let result):
            guard let exchange = exchanges[id], exchange.generation == generation else { return }
            exchange.secure = nil
            secureEnded(exchange, result)
        case .settings(let settings):
            self.settings = settings
            turns.limit = settings.concurrent
            startWaiting()
        case .stop: break
        }
    }

    /// Ends what has come to its deadline, and connections that nobody uses.
    private func sweep() {
        for exchange in exchanges.values where now >= exchange.deadline { timedOut(exchange) }
        for exchange in turns.expired(at: now) { timedOut(exchange) }
        for exchange in exchanges.values {
            guard let connection = exchange.connection, !connection.isConnected, !exchange.places.isEmpty else {
                continue
            }
            // A place that does not answer leaves time for the others.
            let time = (exchange.deadline &- connection.since) / UInt64(exchange.places.count + 1)
            if now &- connection.since >= max(time, WebThread.connectTime) {
                broken(exchange, connection, String(cString: strerror(ETIMEDOUT)))
            }
        }
        for (key, list) in kept {
            let old = list.prefix { now &- $0.since > WebThread.keepTime }
            if old.isEmpty { continue }
            for connection in old { drop(connection) }
            kept[key] = list.count == old.count ? nil : Array(list.dropFirst(old.count))
        }
        startWaiting()
    }

    private func finish() {
        for exchange in Array(exchanges.values) + turns.all {
            fail(exchange, .connection, "The server ends.", "Try again when it runs.")
        }
        if hasSecureClient { secureClient.stop() }
        connections = [:]
        kept = [:]
    }

    // MARK: Connections

    /// A connection that is kept for this key; nil for none.
    func keptConnection(_ key: String) -> WebConnection? {
        guard let connection = kept[key]?.popLast() else { return nil }
        if kept[key]?.isEmpty == true { kept[key] = nil }
        return connection
    }

    /// Opens a connection; gives the error's number when that fails at once.
    func open(_ address: IPAddress, _ port: UInt16, _ key: String) -> (WebConnection?, Int32) {
        lastID += 1
        let (connection, error) = WebConnection.open(address, port, key: key, token: lastID, now: now)
        guard let connection else { return (nil, error) }
        guard watch(connection.descriptor, connection.token, EPOLL_CTL_ADD, EPOLLOUT.rawValue) else {
            return (nil, ENOMEM)
        }
        connections[connection.token] = connection
        return (connection, 0)
    }

    /// Watches a connection for what it waits for.
    func rewatch(_ connection: WebConnection) {
        let events = EPOLLIN.rawValue | EPOLLRDHUP.rawValue | (connection.wantsToWrite ? EPOLLOUT.rawValue : 0)
        _ = watch(connection.descriptor, connection.token, EPOLL_CTL_MOD, events)
    }

    /// Keeps a connection for another request, or closes it.
    func release(_ connection: WebConnection, isUsable: Bool) {
        connection.exchange = nil
        guard isUsable, kept[connection.key, default: []].count < WebThread.keepLimit else { return drop(connection) }
        connection.isUsed = true
        connection.since = now
        kept[connection.key, default: []].append(connection)
        guard kept.values.reduce(0, { $0 + $1.count }) > WebThread.keepAllLimit,
            let oldest = kept.min(by: { ($0.value.first?.since ?? now) < ($1.value.first?.since ?? now) })
        else { return }
        let rest = Array(oldest.value.dropFirst())
        kept[oldest.key] = rest.isEmpty ? nil : rest
        if let connection = oldest.value.first { drop(connection) }
    }

    /// Closes a connection.
    func drop(_ connection: WebConnection) {
        connection.exchange = nil
        connections[connection.token] = nil
    }

    private func handle(_ connection: WebConnection, _ events: UInt32) {
        guard let exchange = connection.exchange else {
            // A connection that is kept has nothing to tell but its end.
            kept[connection.key]?.removeAll { $0 === connection }
            if kept[connection.key]?.isEmpty == true { kept[connection.key] = nil }
            return drop(connection)
        }
        if events & EPOLLOUT.rawValue != 0, connection.wantsToWrite {
            if !connection.isConnected {
                let error = connection.error
                if error != 0 { return broken(exchange, connection, String(cString: strerror(error))) }
            }
            // An answer may have come before the request was read to its end.
            if !connection.write(), events & EPOLLIN.rawValue == 0 {
                return broken(exchange, connection, String(cString: strerror(errno)))
            }
            rewatch(connection)
        }
        if events & (EPOLLIN.rawValue | EPOLLRDHUP.rawValue | EPOLLERR.rawValue | EPOLLHUP.rawValue) != 0 {
            if !connection.isConnected, events & (EPOLLERR.rawValue | EPOLLHUP.rawValue) != 0 {
                let error = connection.error
                return broken(exchange, connection, String(cString: strerror(error == 0 ? ECONNREFUSED : error)))
            }
            switch connection.read(buffer) {
            case .waits: break
            case .answered:
                let answer = connection.parser.answer
                exchange.connection = nil
                release(connection, isUsable: connection.parser.keepsConnection && !connection.wantsToWrite)
                answered(exchange, answer)
            case .broken(nil):
                broken(exchange, connection, String(cString: strerror(errno)))
            case .broken(let fault?):
                faulty(exchange, connection, fault)
            }
        }
    }

    private func watch(_ descriptor: Int32, _ token: UInt64, _ operation: Int32, _ events: UInt32) -> Bool {
        var event = epoll_event()
        event.events = events
        event.data.u64 = token
        return epoll_ctl(poller, operation, descriptor, &event) == 0
    }

    /// The client for https.
    func secure() -> SecureClient {
        hasSecureClient = true
        return secureClient
    }

    private static func clock() -> UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(time.tv_sec) &* 1000 &+ UInt64(time.tv_nsec) / 1_000_000
    }
}
