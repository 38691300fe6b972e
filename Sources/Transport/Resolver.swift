import Glibc
import Primitives

/// Turns host names into addresses (A and AAAA, in the system's order of preference) on two threads of its own, since
/// getaddrinfo waits. The caller sets its own limit of time: an answer can take as long as the system's resolver does.
public final class Resolver: Sendable {
    /// What receives the addresses; none when the name does not exist or cannot be resolved now.
    public typealias Completion = @Sendable ([IPAddress]) -> Void

    private let state: ResolverState

    /// A resolver that keeps at most `queueLimit` names waiting.
    public convenience init(queueLimit: Int = 1000) throws(SystemError) {
        try self.init(queueLimit: queueLimit, lookUp: ResolverState.system)
    }

    /// A resolver with another source of addresses than the system.
    init(queueLimit: Int, lookUp: @escaping @Sendable (String) -> [IPAddress]) throws(SystemError) {
        state = try ResolverState(queueLimit: queueLimit, lookUp: lookUp)
        for _ in 0..<2 {
            var thread = pthread_t()
            let box = Unmanaged.passRetained(state)
            let result = pthread_create(&thread, nil, runResolver, box.toOpaque())
            if result != 0 {
                box.release()
                throw SystemError(result, "pthread_create")
            }
            // Nobody waits for a thread that may be inside getaddrinfo for long.
            pthread_detach(thread)
        }
    }

    deinit { state.stop() }

    /// Resolves `host`; false when too many names wait, and `completion` is then not called.
    ///
    /// An address in text, and a name that was resolved within the last minute, complete before the call returns, on the
    /// caller's thread; others complete on a thread of the resolver.
    public func resolve(_ host: ByteSlice, completion: @escaping Completion) -> Bool {
        if let address = IPAddress(host) {
            completion([address])
            return true
        }
        // RFC 1035 section 2.3.4 allows 255 bytes.
        guard !host.isEmpty, host.count <= 255, host.firstIndex(of: 0) == nil else {
            completion([])
            return true
        }
        let name = String(decoding: host.bytes.map(ASCII.lowercase), as: UTF8.self)
        return state.resolve(name, now: System.coarseInstant(), completion)
    }
}

/// The entry of a resolver's thread.
private func runResolver(_ argument: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    if let argument { Unmanaged<ResolverState>.fromOpaque(argument).takeRetainedValue().run() }
    return nil
}
