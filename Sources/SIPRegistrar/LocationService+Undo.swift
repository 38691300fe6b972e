import Primitives

/// Taking back what could not be stored: the location service promises what the store has, and nothing else.
extension LocationService {
    /// Takes the changes of a REGISTER back whose changes could not be stored, unless a later REGISTER has changed the same
    /// bindings again: then they are that one's.
    ///
    /// - Returns: The bindings that are gone by it, for the log.
    public func undo(_ undo: BindingUndo, now: UnixTime) -> [DroppedBinding] {
        let live = undo.before.filter { isConnected($0, client: undo.client) }
        return unstored.withLock { unstored in
            let dropped = withClient(undo.client) { entry -> [DroppedBinding] in
                guard entry.id == undo.clientID else { return [] }
                // The request that was answered 503 must not be taken for one that was accepted when it comes again.
                entry.nonces.forgetFingerprints()
                return entry.undo(undo, restorable: live, &unstored, now)
            }
            return dropped ?? []
        }
    }

    /// True when requests can still go to a binding: the connection of a stream binding may have ended meanwhile.
    private func isConnected(_ binding: Binding, client: LoginKey) -> Bool {
        !binding.flow.transport.isReliable || binding.flow.connection == 0 || isTracked(binding.flow, of: client)
    }
}

extension ClientEntry {
    fileprivate mutating func undo(
        _ undo: BindingUndo, restorable: [Binding], _ unstored: inout UnstoredBindings, _ now: UnixTime
    ) -> [DroppedBinding] {
        var dropped: [DroppedBinding] = []
        for made in undo.after where !undo.before.contains(where: { $0.isUnchanged(since: made) }) {
            let key = made.key
            let previous = undo.before.first { $0.key == key }
            unstored.note(made, of: undo.client, insteadOf: previous, now: now)
            guard let index = bindings.firstIndex(where: { $0.isUnchanged(since: made) }) else { continue }
            if let stored = unstored.stored(previous, of: undo.client), stored.isLive(at: now),
                restorable.contains(where: { $0.key == key })
            {
                bindings[index] = stored
            } else {
                bindings.remove(at: index)
                dropped.append(DroppedBinding(clientID: id, login: login, binding: made))
            }
        }
        // What the REGISTER has removed is there again, unless another has taken its place.
        for removed in restorable where isEnabled && removed.isLive(at: now) {
            let key = removed.key
            if undo.after.contains(where: { $0.key == key }) || bindings.contains(where: { $0.key == key }) { continue }
            if let stored = unstored.stored(removed, of: undo.client) { bindings.append(stored) }
        }
        return dropped
    }
}
