import NameResolution
import Primitives
import SIPProxy
import Transport

/// Brings the places that names lead to back to the requests that wait for them, from the resolver's thread.
final class ResolvedNames: Sendable {
    private let resolver: Resolver
    private let executor: EffectExecutor

    init(_ resolver: Resolver, _ executor: EffectExecutor) {
        self.resolver = resolver
        self.executor = executor
    }

    /// Resolves a name; the request goes on, or fails, when that is done.
    func resolve(_ resolution: Resolution) {
        resolver.resolve(resolution.query, for: resolution.requester) { [self] in deliver($0, for: resolution) }
    }

    /// Names that are being resolved.
    var waiting: Int { resolver.sizes.resolutions }

    private func deliver(_ answer: TargetAnswer, for resolution: Resolution) {
        // A further target of the same request may have a name as well: the executor asks for it.
        executor.handle { server, now, effects in
            server.resolved(resolution, answer, now: now, effects: &effects)
        }
    }
}
