import Primitives

/// The clock was set: a registration keeps the time that it has left.
extension LocationService {
    /// Moves the times of all bindings that were noted before a step of the clock.
    ///
    /// Packets wait for a shard at a time, and that for a millisecond.
    public func move(by step: ClockStep) {
        for shard in shards {
            shard.clients.withLock { table in
                for position in 0..<max(0, table.placeCount) {
                    update(&table, position) { entry in
                        for index in entry.bindings.indices where step.isBefore(entry.bindings[index].updatedAt) {
                            entry.bindings[index].move(by: step)
                        }
                    }
                }
            }
        }
    }
}

extension Binding {
    fileprivate mutating func move(by step: ClockStep) {
        expiresAt = step.moved(expiresAt)
        createdAt = step.moved(createdAt)
        updatedAt = step.moved(updatedAt)
        liveness.move(by: step)
    }
}
