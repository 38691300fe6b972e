import NameResolution
import Primitives
import SIPMessage
import SIPRegistrar

/// The way to a destination (RFC 3261 16.6 step 7).
enum NextHop {
    /// Over this flow.
    case flow(Flow)
    /// To a host name, once it is resolved.
    case name(TargetQuery)
    /// There is no way: a transport that we do not have, or no listener of the family.
    case none
}

extension SIPServer {
    /// The way to a destination.
    func nextHop(of destination: Destination) -> NextHop {
        switch destination {
        case .peer(let flow, _): .flow(flow)
        case .uri(let uri): uri.withSlice { nextHop(of: $0, known: nil) }
        case .binding(let binding): binding.isReachedByFlow ? .flow(binding.flow) : nextHop(of: binding)
        }
    }

    /// The flow of a party of a dialog as it is now: a phone that has registered again since the dialog began may have
    /// another connection, or another port behind its NAT.
    ///
    /// A route token proves one peer. So it leads elsewhere only where that peer has gone by a REGISTER of its own: to the
    /// binding that was reached by the token's flow before, whose it may be is a guess (the remote target's user, or
    /// `party`); or to `party`'s binding with the same contact at the same address, unless several devices share that.
    func currentFlow(of remoteTarget: ByteSlice, _ party: ByteSlice, from flow: Flow, now: Now) -> Flow {
        if let found = currentFlow(user: remoteTarget, nil, flow, now) { return found }
        return currentFlow(user: party, remoteTarget, flow, now) ?? flow
    }

    private func currentFlow(user uri: ByteSlice, _ remoteTarget: ByteSlice?, _ flow: Flow, _ now: Now) -> Flow? {
        guard let user = SIPURI(uri)?.user, !user.isEmpty else { return nil }
        let current = location.withClient(user) { client -> Flow? in
            var found: Flow?
            for binding in client.bindings {
                guard binding.hasFlow, binding.isReachedByFlow, binding.isLive(at: now.unix) else { continue }
                if binding.flow == flow { return flow }
                if binding.replaced(flow) {
                    if found == nil { found = binding.flow }
                    continue
                }
                guard let remoteTarget, found == nil, !binding.liveness.isShared else { continue }
                if binding.flow.remote.address == flow.remote.address, binding.flow.transport == flow.transport,
                    binding.withText({ $0.contact == remoteTarget })
                {
                    found = binding.flow
                }
            }
            return found
        }
        return current ?? nil
    }

    /// True when a flow can be used with the listeners of this run; one from before a restart may name another listener.
    func isUsable(_ flow: Flow) -> Bool {
        guard Int(flow.listener) < settings.listeners.count else { return false }
        let listener = settings.listeners[Int(flow.listener)]
        return listener.transport == flow.transport
            && listener.address.address.isIPv4 == flow.remote.address.isIPv4
    }

    /// The way to a contact that is not reached where it came from: to its Path, else to the address that it names.
    private func nextHop(of binding: Binding) -> NextHop {
        binding.withText { text in
            var uri = text.contact
            if !text.path.isEmpty {
                guard let first = NameAddress(text.path[0..<text.path.endOfValue(from: 0)].trimmed()) else {
                    return .none
                }
                uri = first.uri
            }
            return nextHop(of: uri, known: binding.flow)
        }
    }

    /// The way to what a URI names; `known` is a flow that is used when it leads there.
    private func nextHop(of uri: ByteSlice, known: Flow?) -> NextHop {
        guard let hop = SIPURI(uri), let transport = TransportProtocol(parameter: hop.transport) else {
            return .none
        }
        switch Host(hop.host) {
        case .address(let address):
            let remote = SocketAddress(address: address, port: hop.port ?? 5060)
            // The way that the REGISTER took, when it is the same: a connection that is open already.
            if let known, remote == known.remote, transport == known.transport { return .flow(known) }
            return flow(to: remote, transport).map { .flow($0) } ?? .none
        case .name(let name):
            return .name(
                TargetQuery(
                    host: name.bytes, port: hop.port, transport: hop.transport == nil ? nil : transport,
                    isSecure: hop.isSecure))
        case nil: return .none
        }
    }

    /// A flow to an address that has not sent us anything, from the first listener that can reach it.
    func flow(to remote: SocketAddress, _ transport: TransportProtocol) -> Flow? {
        let suits: (Listener) -> Bool = { listener in
            listener.transport == transport && listener.address.address.isIPv4 == remote.address.isIPv4
        }
        // A loopback listener reaches only this machine, and only it can be answered there.
        let index =
            settings.listeners.firstIndex {
                suits($0) && $0.address.address.isLoopback == remote.address.isLoopback
            } ?? settings.listeners.firstIndex(where: suits)
        return index.map { Flow(transport: transport, listener: UInt16($0), remote: remote) }
    }
}

extension Reachability {
    /// What listeners can reach, in their order; those that reach only this machine come last.
    public init(_ listeners: [Listener]) {
        let inOrder =
            listeners.filter { !$0.address.address.isLoopback } + listeners.filter(\.address.address.isLoopback)
        self.init(inOrder.map { Way($0.transport, isIPv4: $0.address.address.isIPv4) })
    }
}

extension TransportProtocol {
    /// The transport that a URI parameter names; UDP without one (RFC 3263 section 4.1); nil for one that we do not have.
    init?(parameter: ByteSlice?) {
        guard let parameter else {
            self = .udp
            return
        }
        if parameter.equalsIgnoringCase("udp") {
            self = .udp
        } else if parameter.equalsIgnoringCase("tcp") {
            self = .tcp
        } else {
            return nil
        }
    }
}
