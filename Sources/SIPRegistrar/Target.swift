import Primitives

/// A device that a request for a client can go to (RFC 3261 16.5), a copy that stays as it was.
public struct Target: Sendable {
    /// The client's number.
    public let clientID: Int64
    /// The contact, Path and flow.
    public let binding: Binding
}

extension LocationService {
    /// Appends the devices of a client that can be reached now, by `q` from high to low, then the latest refresh first.
    ///
    /// - Returns: False when there is no such client, or it is disabled.
    @discardableResult
    public func appendTargets(of user: ByteSlice, now: UnixTime, to targets: inout [Target]) -> Bool {
        let start = targets.count
        let found = withClient(user) { entry in
            guard entry.isEnabled else { return false }
            for binding in entry.bindings where binding.isLive(at: now) && binding.isReachable {
                var index = targets.count
                while index > start, targets[index - 1].binding.isBehind(binding) { index -= 1 }
                targets.insert(Target(clientID: entry.id, binding: binding), at: index)
            }
            return true
        }
        return found ?? false
    }
}

extension Binding {
    fileprivate func isBehind(_ other: Binding) -> Bool {
        q == other.q ? updatedAt < other.updatedAt : q < other.q
    }
}
