import Glibc
import Primitives
import Synchronization

/// The connections of all loops: found by identifier or by peer, opened on demand, counted against the limits.
final class ConnectionTable: Sendable {
    /// A peer as seen from one listener.
    private struct Peer: Hashable {
        let remote: SocketAddress
        let listener: UInt16
    }

    private struct Index {
        var byPeer: [Peer: Connection] = [:]
        var perSource: [IPAddress: Int] = [:]
        var count = 0
    }

    /// The loops' parts.
    let owners: [ConnectionOwner]
    /// The open listeners.
    let listeners: [Listener]
    /// What peers may take.
    let currentLimits: Replaceable<TransportLimits>
    var limits: TransportLimits { currentLimits.value }
    private let index = Mutex(Index())
    private let nextNumber: Atomic<UInt64>

    /// An empty table.
    init(owners: [ConnectionOwner], listeners: [Listener], limits: TransportLimits) {
        self.owners = owners
        self.listeners = listeners
        currentLimits = Replaceable(limits)
        // Identifiers outlive the process in stored bindings; from the clock they do not come again after a restart.
        nextNumber = Atomic(UInt64(max(1, System.now().unix.milliseconds)) << 14)
    }

    /// The number of connections open or being opened.
    var count: Int { index.withLock { $0.count } }

    /// The connection with this identifier, if it is still there.
    func connection(_ identifier: UInt64) -> Connection? {
        let position = Int(identifier & Self.ownerMask)
        return position < owners.count ? owners[position].connection(identifier) : nil
    }

    /// Takes in an accepted connection; nil when a limit is reached, which closes it.
    func accept(
        _ descriptor: consuming FileDescriptor, from remote: SocketAddress, listener: UInt16, owner: ConnectionOwner,
        now: Instant
    ) -> Connection? {
        let source = Self.source(remote.address)
        let admitted = index.withLock { index in
            guard index.count < limits.connections,
                index.perSource[source, default: 0] < limits.connectionsPerSource
            else { return false }
            index.count += 1
            index.perSource[source, default: 0] += 1
            return true
        }
        guard admitted else { return nil }
        try? System.set(descriptor.number, Int32(IPPROTO_TCP), TCP_NODELAY, 1)
        let flow = Flow(
            transport: .tcp, listener: listener, remote: remote, connection: nextIdentifier(owner: owner))
        let connection = Connection(
            descriptor, flow: flow, owner: owner, wasAccepted: true, isOpen: true, limits: currentLimits, now: now)
        index.withLock { $0.byPeer[Peer(remote: remote, listener: listener)] = connection }
        owner.insert(connection)
        guard (try? connection.watch()) != nil else {
            _ = connection.finish()
            remove(connection)
            return nil
        }
        return connection
    }

    /// The connection to the peer of `flow`, opened when there is none, and whether it was opened now.
    func connection(
        to flow: Flow, owner: ConnectionOwner
    ) throws(SystemError) -> (connection: Connection, isNew: Bool) {
        let result: Result<(Connection, Bool), SystemError> = index.withLock { index in
            let peer = Peer(remote: flow.remote, listener: flow.listener)
            if let existing = index.byPeer[peer] { return .success((existing, false)) }
            if index.count >= limits.connections { return .failure(SystemError(EMFILE, "connect")) }
            do throws(SystemError) {
                let connection = try open(flow, owner: owner)
                index.byPeer[peer] = connection
                index.count += 1
                return .success((connection, true))
            } catch {
                return .failure(error)
            }
        }
        let (connection, isNew) = try result.get()
        return (connection, isNew)
    }

    /// Makes a closed connection unfindable by its peer before its loop has noticed its end.
    func forgetPeer(_ connection: Connection) {
        let peer = Peer(remote: connection.flow.remote, listener: connection.flow.listener)
        index.withLock { index in
            if index.byPeer[peer] === connection { index.byPeer[peer] = nil }
        }
    }

    /// Takes a finished connection out of the table.
    func remove(_ connection: Connection) {
        forgetPeer(connection)
        connection.owner.remove(connection.identifier)
        index.withLock { index in
            index.count -= 1
            guard connection.wasAccepted else { return }
            let source = Self.source(connection.flow.remote.address)
            let left = index.perSource[source, default: 1] - 1
            index.perSource[source] = left > 0 ? left : nil
        }
    }

    /// Whose connections are counted together: an IPv4 address, or the 64 bits of an IPv6 network, of which one host can
    /// have any number of addresses (RFC 4291 section 2.5.1).
    static func source(_ address: IPAddress) -> IPAddress {
        address.isIPv4 ? address : IPAddress(high: address.high, low: 0)
    }

    /// The low bits of an identifier say whose connection it is.
    private static let ownerMask: UInt64 = 63

    private func nextIdentifier(owner: ConnectionOwner) -> UInt64 {
        nextNumber.wrappingAdd(1, ordering: .relaxed).newValue << 6 | UInt64(owner.index)
    }

    private func open(_ flow: Flow, owner: ConnectionOwner) throws(SystemError) -> Connection {
        guard Int(flow.listener) < listeners.count, listeners[Int(flow.listener)].transport == .tcp else {
            throw SystemError(EINVAL, "connect")
        }
        let local = listeners[Int(flow.listener)].address.address
        guard local.isIPv4 == flow.remote.address.isIPv4 else { throw SystemError(EAFNOSUPPORT, "connect") }
        let descriptor = try System.socket(.tcp, family: flow.remote.family)
        // Without it a port would be taken by bind already, though another peer could share it.
        try? System.set(descriptor.number, Int32(IPPROTO_IP), IP_BIND_ADDRESS_NO_PORT, 1)
        try? System.set(descriptor.number, Int32(IPPROTO_TCP), TCP_NODELAY, 1)
        try System.bind(descriptor.number, SocketAddress(address: local, port: 0))
        try System.connect(descriptor.number, flow.remote)
        let identified = Flow(
            transport: .tcp, listener: flow.listener, remote: flow.remote, connection: nextIdentifier(owner: owner))
        // Also one that is connected already counts as opening until its loop sees that it is writable.
        let connection = Connection(
            descriptor, flow: identified, owner: owner, wasAccepted: false, isOpen: false, limits: currentLimits,
            now: System.coarseInstant())
        owner.insert(connection)
        do throws(SystemError) {
            try connection.watch()
        } catch {
            owner.remove(connection.identifier)
            throw error
        }
        return connection
    }
}
