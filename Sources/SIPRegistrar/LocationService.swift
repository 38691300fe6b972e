import Admission
import Primitives
import SIPAuthentication
import SIPMessage
import Synchronization

/// The clients and their bindings: the location service of RFC 3261 section 10 and the credentials, in memory.
///
/// Shared by all workers, in shards by login with a lock each; nothing but these locks is waited for.
public final class LocationService: Sendable {
    final class Shard: Sendable {
        let clients = Mutex(ClientTable())
        /// Grows with each binding that is to be pinged: a shard that had none is not looked at until then.
        let pingGeneration = Atomic<UInt64>(0)
        /// Who has a binding on a stream connection; an entry may outlive the binding, never the connection.
        let connections = Mutex<[UInt64: Set<LoginKey>]>([:])
    }

    static let shardCount = 64
    let shards: [Shard]
    private let key: HashKey
    /// Who counts the clients by source.
    let admission: Admission
    private let sweepShard = Mutex(0)
    /// Touched when changes could not be stored, and then before the lock of a shard.
    let unstored = Mutex(UnstoredBindings())
    let pingSweep = Mutex(PingSweep())
    let abandoned = Mutex<[AbandonedBinding]>([])

    /// An empty service; `key` must be unpredictable. It tells `admission` which client is known by which source.
    public init(key: HashKey, admission: Admission) {
        self.key = key
        self.admission = admission
        shards = (0..<Self.shardCount).map { _ in Shard() }
    }

    func shard(of key: LoginKey) -> Shard { shards[Int(key.hash.second % UInt64(Self.shardCount))] }

    func shard(ofConnection connection: UInt64) -> Shard {
        shards[Int((connection &* 0x9e37_79b9_7f4a_7c15) >> 32 % UInt64(Self.shardCount))]
    }

    // MARK: Clients

    /// The key of the user part of a URI, or of a login: `%HH` escapes are decoded (19.1.4), case matters.
    public func key(of user: ByteSlice) -> LoginKey {
        var hash = SipHash(key: key)
        if user.firstIndex(of: UInt8(ascii: "%")) == nil {
            hash.update(user)
        } else {
            var index = 0
            while index < user.count {
                let (byte, length) = user.unescapedByte(at: index)
                hash.update(byte: byte)
                index += length
            }
        }
        return LoginKey(hash: hash.finalize())
    }

    /// Calls `body` with the client's entry, to be read and changed in place under the lock of its shard; nil when there
    /// is no such client. `body` must be short and must not call the service.
    @inline(__always)
    public func withClient<Result: Sendable>(_ key: LoginKey, _ body: (inout ClientEntry) -> Result) -> Result? {
        shard(of: key).clients.withLock { table in
            guard let position = table.position(of: key) else { return nil }
            return update(&table, position, body)
        }
    }

    /// The same for a login or the user part of a URI.
    @inline(__always)
    public func withClient<Result: Sendable>(
        _ login: ByteSlice, _ body: (inout ClientEntry) -> Result
    ) -> Result? {
        withClient(key(of: login), body)
    }

    /// Adds a client or replaces the one with the same login. Its bindings stay, unless it is another client now or
    /// disabled; its last failure stays, unless it is another client.
    ///
    /// - Returns: The bindings that were dropped.
    @discardableResult
    public func replaceClient(
        id: Int64, sid: ByteSlice, login: ByteSlice, password: PasswordDigest, isEnabled: Bool,
        hasApplication: Bool = false, accountID: Int64 = 0
    ) -> [DroppedBinding] {
        let key = key(of: login)
        let entry = ClientEntry(
            id: id, sid: sid, login: login, password: password, isEnabled: isEnabled, hasApplication: hasApplication,
            accountID: accountID)
        return shard(of: key).clients.withLock { table in
            guard let position = table.position(of: key) else {
                table.insert(entry, key)
                return []
            }
            return update(&table, position) { old in
                let isSame = old.id == id
                let dropped = isEnabled && isSame ? [] : old.removeBindings { _ in true }
                let (bindings, nonces, openTransactions) = (old.bindings, old.nonces, old.openTransactions)
                let lastFailure = isSame ? old.lastFailure : nil
                let (source, otherSources) = (old.source, old.otherSources)
                old = entry
                old.source = isEnabled && isSame ? source : .none
                old.otherSources = otherSources
                old.bindings = bindings
                old.nonces = nonces
                old.openTransactions = openTransactions
                old.lastFailure = lastFailure
                return dropped
            }
        }
    }

    /// Removes a client.
    ///
    /// - Returns: The bindings that were dropped with it.
    @discardableResult
    public func removeClient(_ login: ByteSlice) -> [DroppedBinding] {
        let key = key(of: login)
        guard var entry = shard(of: key).clients.withLock({ $0.remove(key) }) else { return [] }
        return count(&entry) { entry in
            entry.source = .none
            return entry.removeBindings { _ in true }
        }
    }

    /// Lets a client register and call, or no longer (Status 1 and 0).
    ///
    /// - Returns: The bindings that were dropped by disabling it.
    @discardableResult
    public func setEnabled(_ isEnabled: Bool, _ login: ByteSlice) -> [DroppedBinding] {
        withClient(login) { entry in
            entry.isEnabled = isEnabled
            if !isEnabled { entry.source = .none }
            return isEnabled ? [] : entry.removeBindings { _ in true }
        } ?? []
    }

    /// How much the service holds.
    public struct Statistics: Equatable, Sendable {
        /// Clients.
        public var clients = 0
        /// Bindings, expired ones included until they are swept.
        public var bindings = 0
        /// Stream connections that have or had a binding.
        public var connections = 0
    }

    /// Counts what the service holds now.
    public var statistics: Statistics {
        var statistics = Statistics()
        for shard in shards {
            shard.clients.withLock { table in
                statistics.clients += table.clientCount
                statistics.bindings += table.bindingCount
            }
            statistics.connections += shard.connections.withLock { $0.count }
        }
        return statistics
    }

    // MARK: Bindings

    /// Puts a binding of before a restart back; false when there is no such client, or it is disabled or has the binding.
    @discardableResult
    public func restore(_ binding: Binding, of login: ByteSlice) -> Bool {
        let key = key(of: login)
        let isRestored = withClient(key) { entry in
            let bindingKey = binding.key
            if !entry.isEnabled || entry.bindings.contains(where: { $0.key == bindingKey }) { return false }
            // It was from there that the client registered last.
            if entry.bindings.allSatisfy({ $0.updatedAt <= binding.updatedAt }) {
                entry.source = Source(binding.flow.remote.address)
            }
            entry.bindings.append(binding)
            return true
        }
        if isRestored == true {
            track(binding.flow, of: key)
            // Whether it is to be pinged is found out by the next sweep.
            expectPings(of: key)
        }
        return isRestored ?? false
    }

    /// Removes one binding, for an operator.
    public func removeBinding(_ bindingKey: [UInt8], of login: ByteSlice) -> DroppedBinding? {
        withClient(login) { $0.removeBindings { $0.key == bindingKey }.first } ?? nil
    }

    /// True when the client has a binding that has not expired.
    public func isRegistered(_ user: ByteSlice, now: UnixTime) -> Bool {
        withClient(user) { $0.bindings.contains { $0.isLive(at: now) } } ?? false
    }

    /// Remembers that the client has a binding on the flow's connection.
    func track(_ flow: Flow, of key: LoginKey) {
        guard flow.transport.isReliable, flow.connection != 0 else { return }
        _ = shard(ofConnection: flow.connection).connections.withLock {
            $0[flow.connection, default: []].insert(key)
        }
    }

    /// True when the client has or had a binding on the flow's connection, and the connection is open.
    func isTracked(_ flow: Flow, of key: LoginKey) -> Bool {
        shard(ofConnection: flow.connection).connections.withLock { $0[flow.connection]?.contains(key) ?? false }
    }

    /// Removes expired bindings and nonces: a part of the whole at each call, which goes on where the last one ended.
    ///
    /// - Parameters:
    ///   - limit: How many clients to look at.
    ///   - oldestNonce: Nonces issued before are expired; their memory is freed.
    public func removeExpired(now: UnixTime, limit: Int, oldestNonce: UnixTime? = nil) -> [DroppedBinding] {
        // One sweep at a time; a second caller finds the position moved.
        sweepShard.withLock { current in
            var dropped: [DroppedBinding] = []
            var left = limit
            var visited = 0
            while left > 0, visited < Self.shardCount {
                // In small steps, so that no packet waits long for the shard.
                let step = min(left, 64)
                let (seen, isAtEnd) = shards[current].clients.withLock { table in
                    sweep(&table, now: now, limit: step, oldestNonce: oldestNonce, into: &dropped)
                }
                left -= seen
                if isAtEnd {
                    current = (current + 1) % Self.shardCount
                    visited += 1
                }
            }
            return dropped
        }
    }

    private func sweep(
        _ table: inout ClientTable, now: UnixTime, limit: Int, oldestNonce: UnixTime?,
        into dropped: inout [DroppedBinding]
    ) -> (seen: Int, isAtEnd: Bool) {
        let start = table.sweepPosition
        let end = min(table.placeCount, start + limit)
        for position in start..<max(start, end) {
            update(&table, position) { entry in
                dropped += entry.removeBindings { !$0.isLive(at: now) }
                if let oldestNonce { entry.nonces.forget(issuedBefore: oldestNonce) }
            }
        }
        let isAtEnd = end >= table.placeCount
        table.sweepPosition = isAtEnd ? 0 : end
        return (max(0, end - start), isAtEnd)
    }
}
