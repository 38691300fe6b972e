import CLinux
import Glibc
import Primitives
import Synchronization

/// The part of a resolver that its threads hold, so that the resolver itself can go while they wait.
final class ResolverState: Sendable {
    private struct Entry {
        let addresses: [IPAddress]
        let expires: Instant
    }

    private struct Queue {
        var names: [String] = []
        var first = 0
        var waiting: [String: [Resolver.Completion]] = [:]
        var waitingCount = 0
        var cache: [String: Entry] = [:]
        var isStopped = false
    }

    private let queue = Mutex(Queue())
    /// Counts the names that wait: reading it takes one, and sleeps while there is none.
    private let tickets: FileDescriptor
    private let queueLimit: Int
    private let lookUp: @Sendable (String) -> [IPAddress]

    init(queueLimit: Int, lookUp: @escaping @Sendable (String) -> [IPAddress]) throws(SystemError) {
        tickets = FileDescriptor(
            try System.check(eventfd(0, Int32(EFD_SEMAPHORE) | Int32(EFD_CLOEXEC)), "eventfd"))
        self.queueLimit = queueLimit
        self.lookUp = lookUp
    }

    /// See `Resolver.resolve`.
    func resolve(_ name: String, now: Instant, _ completion: @escaping Resolver.Completion) -> Bool {
        enum Answer { case known([IPAddress]), asked, waits, full }
        let answer = queue.withLock { queue -> Answer in
            if let entry = queue.cache[name], now < entry.expires { return .known(entry.addresses) }
            if queue.waitingCount >= queueLimit { return .full }
            queue.waitingCount += 1
            // The same name is asked for once, however many want it.
            if queue.waiting[name] != nil {
                queue.waiting[name]?.append(completion)
                return .asked
            }
            queue.waiting[name] = [completion]
            queue.names.append(name)
            return .waits
        }
        switch answer {
        case .known(let addresses): completion(addresses)
        case .asked: break
        case .waits: eventfd_write(tickets.number, 1)
        case .full: return false
        }
        return true
    }

    /// Ends the threads once they are free.
    func stop() {
        queue.withLock { $0.isStopped = true }
        eventfd_write(tickets.number, 2)
    }

    /// The body of a thread.
    func run() {
        clinux_name_thread("resolver")
        while true {
            var ticket: eventfd_t = 0
            guard eventfd_read(tickets.number, &ticket) == 0 || errno == EINTR else { return }
            let (name, isStopped) = queue.withLock { queue -> (String?, Bool) in
                guard queue.first < queue.names.count else { return (nil, queue.isStopped) }
                let name = queue.names[queue.first]
                queue.first += 1
                if queue.first == queue.names.count || queue.first > queueLimit {
                    queue.names.removeFirst(queue.first)
                    queue.first = 0
                }
                return (name, queue.isStopped)
            }
            if isStopped { return }
            guard let name else { continue }
            let addresses = lookUp(name)
            let now = System.coarseInstant()
            let completions = queue.withLock { queue -> [Resolver.Completion] in
                // A bound for a stranger's names; what is dropped is only asked again.
                if queue.cache.count >= 10_000 { queue.cache.removeAll() }
                let time: UInt64 = addresses.isEmpty ? 5_000 : 60_000
                queue.cache[name] = Entry(addresses: addresses, expires: now.advanced(byMilliseconds: time))
                let completions = queue.waiting.removeValue(forKey: name) ?? []
                queue.waitingCount -= completions.count
                return completions
            }
            for completion in completions { completion(addresses) }
        }
    }

    /// The system's answer (RFC 6724 order), at most 32 addresses.
    static func system(_ name: String) -> [IPAddress] {
        var hints = addrinfo()
        hints.ai_family = AF_UNSPEC
        hints.ai_socktype = Int32(SOCK_DGRAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(name, nil, &hints, &list) == 0 else { return [] }
        defer { freeaddrinfo(list) }
        var addresses: [IPAddress] = []
        var next = list
        while let entry = next?.pointee, addresses.count < 32 {
            next = entry.ai_next
            guard let pointer = entry.ai_addr,
                let found = SocketAddress(system: UnsafeRawPointer(pointer))?.address, !addresses.contains(found)
            else { continue }
            addresses.append(found)
        }
        return addresses
    }
}
