import Primitives

/// A binding that lost its connection, and the time until which it may come back.
struct AbandonedBinding: Sendable {
    let client: LoginKey
    /// The mark of the flow that it lost.
    let mark: UInt32
    /// The connection of that flow.
    let connection: UInt64
    let deadline: Instant
}

/// What becomes of the bindings of a connection that is closed.
extension LocationService {
    /// Takes a stream connection that is closed from its bindings: nothing is sent to their devices until they register
    /// again. A device that was cut off comes back within seconds, and finds its binding, and with it its calls; after
    /// `reconnectTime` (milliseconds) `removeAbandoned` removes it. A binding with a Path stays: it is reached by that.
    ///
    /// - Returns: The bindings that were dropped, with a time of 0.
    public func connectionClosed(
        _ connection: UInt64, reconnectTime: UInt64 = 0, now: Now? = nil
    ) -> [DroppedBinding] {
        let keys = shard(ofConnection: connection).connections.withLock { $0.removeValue(forKey: connection) }
        guard let keys else { return [] }
        let isOnConnection = { (binding: Binding) in
            binding.flow.transport.isReliable && binding.flow.connection == connection
        }
        var dropped: [DroppedBinding] = []
        for key in keys {
            guard let now, reconnectTime > 0 else {
                dropped +=
                    withClient(key) { entry in
                        entry.leave(isOnConnection)
                        return entry.removeBindings(where: isOnConnection)
                    } ?? []
                continue
            }
            let mark = withClient(key) { entry -> UInt32? in
                var mark: UInt32?
                entry.leave(isOnConnection)
                for index in entry.bindings.indices where isOnConnection(entry.bindings[index]) {
                    mark = entry.bindings[index].flow.mark
                    entry.bindings[index].abandon(at: now.unix)
                }
                return mark
            }
            guard let mark = mark ?? nil else { continue }
            abandoned.withLock {
                $0.append(
                    AbandonedBinding(
                        client: key, mark: mark, connection: connection,
                        deadline: now.instant.advanced(byMilliseconds: reconnectTime)))
            }
        }
        return dropped
    }

    /// Removes the bindings whose devices have not come back in time.
    public func removeAbandoned(now: Instant) -> [DroppedBinding] {
        let due = abandoned.withLock { waiting -> [AbandonedBinding] in
            let count = waiting.firstIndex { $0.deadline > now } ?? waiting.count
            if count == 0 { return [] }
            let due = Array(waiting.prefix(count))
            waiting.removeFirst(count)
            return due
        }
        var dropped: [DroppedBinding] = []
        for binding in due {
            let lost =
                withClient(binding.client) { entry in
                    entry.removeBindings {
                        $0.liveness.isAbandoned && $0.flow.connection == 0 && $0.liveness.previousFlow == binding.mark
                    }
                } ?? []
            dropped += lost.map { $0.with(connection: binding.connection) }
        }
        return dropped
    }
}

extension ClientEntry {
    /// The bindings that are not reached by this connection, though they were made on it, have none from now on.
    fileprivate mutating func leave(_ isOnConnection: (Binding) -> Bool) {
        for index in bindings.indices where !bindings[index].isReachedByFlow && isOnConnection(bindings[index]) {
            bindings[index].flow.connection = 0
        }
    }
}

extension Binding {
    /// The connection is gone: the binding waits for its device.
    fileprivate mutating func abandon(at now: UnixTime) {
        liveness.flowChanged(from: flow, at: now)
        liveness.isAbandoned = true
        flow.connection = 0
    }
}
