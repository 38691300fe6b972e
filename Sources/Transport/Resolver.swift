import CLinux
import Glibc
import NameResolution
import Primitives
import Synchronization

/// Turns names into places to try (RFC 3263), on a thread of its own with sockets of its own: however many names are
/// dead, no other waits for them.
///
/// What decides is `NameResolver`; this is its clock, its sockets and its files.
public final class Resolver: Sendable {
    /// What receives the answer.
    public typealias Completion = @Sendable (TargetAnswer) -> Void

    private let state: ResolverState

    /// A resolver of its own.
    ///
    /// - Parameters:
    ///   - settings: What `NameResolver` is told; without servers those of the system are used, as they change.
    ///   - files: Where the system keeps names and servers.
    public init(
        _ settings: NameResolver.Settings, files: ResolverFiles = ResolverFiles(), key: HashKey
    ) throws(SystemError) {
        state = try ResolverState(settings, files: files, key: key)
        var thread = pthread_t()
        let box = Unmanaged.passRetained(state)
        let result = pthread_create(&thread, nil, runResolver, box.toOpaque())
        if result != 0 {
            box.release()
            throw SystemError(result, "pthread_create")
        }
        pthread_detach(thread)
    }

    deinit { state.stop() }

    /// Resolves a target: `completion` is called on the resolver's thread, after five seconds at the latest. It must not
    /// wait for anything. Only when too many wait already it is called at once, with a failure.
    ///
    /// - Parameter requester: Who it is for, so that nobody can use up all places.
    public func resolve(
        _ query: TargetQuery, for requester: IPAddress, completion: @escaping Completion
    ) {
        if !state.resolve(query, requester, completion) { completion(.failure(.busy)) }
    }

    /// File descriptors that it takes at the most.
    public static let descriptors = ResolverSockets.limit + 8

    /// Resolutions and questions that wait, and answers that are kept.
    public var sizes: (resolutions: Int, questions: Int, answers: Int) { state.sizes }
}

/// The entry of the resolver's thread.
private func runResolver(_ argument: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    if let argument { Unmanaged<ResolverState>.fromOpaque(argument).takeRetainedValue().run() }
    return nil
}
