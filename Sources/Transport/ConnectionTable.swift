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

    /// The connections that one source has made.
    private struct FromSource {
        var count = 0
        /// Those of `count` that had to make room for another one of it, and are not gone yet.
        var leaving = 0
        /// Perhaps also some that had to make room for another source; `Index.unproven` knows.
        var unproven = UnprovenConnections()
    }

    private struct Index {
        var byPeer: [Peer: Connection] = [:]
        var perSource: [IPAddress: FromSource] = [:]
        var count = 0
        var unproven = UnprovenConnections()
        /// Connections that had to make room and are not gone yet.
        var leaving = 0

        /// Takes the oldest connection of a source on which nothing is proved, to make room for another one of it.
        mutating func takeOldest(of source: IPAddress) -> UInt64? {
            while let oldest = perSource[source]?.unproven.takeOldest() {
                guard unproven.remove(oldest) else { continue }
                perSource[source]?.leaving += 1
                leaving += 1
                return oldest
            }
            return nil
        }

        /// Counts a connection that had to make room as gone, or as one that had no need to.
        mutating func left(_ source: IPAddress, _ cause: CloseCause) {
            leaving -= 1
            if cause == .sourceReplaced { perSource[source]?.leaving -= 1 }
        }
    }

    /// The loops' parts.
    let owners: [ConnectionOwner]
    /// The open listeners.
    let listeners: [Listener]
    /// What peers may take.
    let currentLimits: Replaceable<TransportLimits>
    var limits: TransportLimits { currentLimits.value }
    /// What the connections hold together.
    let memory: StreamMemory
    private let index = Mutex(Index())
    private let nextNumber: Atomic<UInt64>

    /// An empty table.
    init(owners: [ConnectionOwner], listeners: [Listener], limits: TransportLimits) {
        self.owners = owners
        self.listeners = listeners
        currentLimits = Replaceable(limits)
        memory = StreamMemory(limit: limits.streamMemory)
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

    /// Takes in an accepted connection, or closes it because of a limit.
    ///
    /// Strangers cannot keep others out: where there is no place, or their share is used up, the oldest connection goes
    /// on which nobody has proved who he is. Where a source has as many as it may, that is the oldest of its own: else one
    /// host behind an address could keep all phones there out.
    ///
    /// - Parameter allowance: How many more than others the source may have.
    /// - Returns: Why it was closed; nil when it was taken in.
    func accept(
        _ descriptor: consuming FileDescriptor, from remote: SocketAddress, listener: UInt16, owner: ConnectionOwner,
        allowance: Int, now: Instant
    ) -> CloseCause? {
        let source = Self.source(remote.address)
        let identifier = nextIdentifier(owner: owner)
        let (sum, isUnlimited) = limits.connectionsPerSource.addingReportingOverflow(allowance)
        let (refusal, oldest, cause) = index.withLock { index -> (CloseCause?, UInt64?, CloseCause) in
            var oldest: UInt64?
            var cause = CloseCause.replaced
            let own = index.perSource[source].map { $0.count - $0.leaving } ?? 0
            if !isUnlimited, own >= sum {
                oldest = index.takeOldest(of: source)
                if oldest == nil { return (.sourceFull, nil, cause) }
                cause = .sourceReplaced
            } else if index.unproven.count >= limits.unprovenConnections
                || index.count - index.leaving >= limits.connections
            {
                oldest = index.unproven.takeOldest()
                if oldest == nil { return (.tableFull, nil, cause) }
                index.leaving += 1
            }
            index.count += 1
            index.perSource[source, default: FromSource()].count += 1
            return (nil, oldest, cause)
        }
        if let oldest { replace(oldest, of: source, because: cause) }
        if let refusal { return refusal }
        System.prepareStream(descriptor.number, limits)
        let flow = Flow(transport: .tcp, listener: listener, remote: remote, connection: identifier)
        let connection = Connection(
            descriptor, flow: flow, owner: owner, wasAccepted: true, isOpen: true, limits: currentLimits,
            memory: memory, now: now)
        owner.insert(connection)
        index.withLock { index in
            index.byPeer[Peer(remote: remote, listener: listener)] = connection
            // Not before it can be found: another loop may have it make room at once.
            index.perSource[source, default: FromSource()].unproven.insert(identifier)
            index.unproven.insert(identifier)
        }
        guard (try? connection.watch()) != nil else {
            _ = connection.finish()
            remove(connection)
            return .descriptors
        }
        return nil
    }

    /// Has a connection end, so that another one has its place.
    private func replace(_ identifier: UInt64, of source: IPAddress, because cause: CloseCause) {
        if connection(identifier)?.shutDown(because: cause) == true { return }
        // It is ending by itself.
        index.withLock { $0.left(source, cause) }
    }

    /// Keeps a connection from having to make room: somebody has proved on it who he is.
    func prove(_ connection: Connection) {
        index.withLock { index in
            index.unproven.remove(connection.identifier)
            index.perSource[Self.source(connection.flow.remote.address)]?.unproven.remove(connection.identifier)
        }
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
        connection.uncountInput()
        let cause = connection.shutDownCause
        let source = Self.source(connection.flow.remote.address)
        index.withLock { index in
            index.count -= 1
            index.unproven.remove(connection.identifier)
            if let cause, cause == .replaced || cause == .sourceReplaced { index.left(source, cause) }
            guard connection.wasAccepted else { return }
            index.perSource[source]?.unproven.remove(connection.identifier)
            index.perSource[source]?.count -= 1
            if index.perSource[source]?.count ?? 0 <= 0 { index.perSource[source] = nil }
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
        System.prepareStream(descriptor.number, limits)
        try System.bind(descriptor.number, SocketAddress(address: local, port: 0))
        try System.connect(descriptor.number, flow.remote)
        let identified = Flow(
            transport: .tcp, listener: flow.listener, remote: flow.remote, connection: nextIdentifier(owner: owner))
        // Also one that is connected already counts as opening until its loop sees that it is writable.
        let connection = Connection(
            descriptor, flow: identified, owner: owner, wasAccepted: false, isOpen: false, limits: currentLimits,
            memory: memory, now: System.coarseInstant())
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
