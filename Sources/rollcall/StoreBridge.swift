import Primitives
import SIPRegistrar
import Store
import Transport

/// Between the bindings in memory and their rows: the listener of a flow has an index in memory and a name in the store.
struct StoreBridge: Sendable {
    /// The names of the listeners, by index.
    private let names: [String]
    private let transports: [TransportProtocol]
    private let families: [Bool]

    init(_ listeners: [Listener]) {
        names = listeners.map { "\($0.transport.name):\($0.address)" }
        transports = listeners.map(\.transport)
        families = listeners.map(\.address.address.isIPv4)
    }

    /// The change of rows for a change of bindings; nil for what only waits.
    func change(_ change: BindingChange) -> StoreChange? {
        switch change {
        case .upsert(let clientID, let binding): .upsertBinding(row(of: binding, clientID: clientID))
        case .delete(let clientID, let key): .deleteBinding(clientID: clientID, key: key)
        case .deleteAll(let clientID): .deleteBindings(clientID: clientID)
        case .settled: nil
        }
    }

    private func row(of binding: Binding, clientID: Int64) -> BindingRow {
        let listener = Int(binding.flow.listener)
        return BindingRow(
            clientID: clientID, key: binding.key, contact: binding.contact, callIDHash: binding.callIDHash,
            cseq: binding.sequenceNumber, expiresAt: binding.expiresAt, q: binding.q, instance: binding.instance,
            regID: binding.registrationID == 0 ? nil : binding.registrationID, path: binding.path,
            userAgent: binding.userAgent, transport: binding.flow.transport, remote: binding.flow.remote,
            listener: listener < names.count ? names[listener] : "", createdAt: binding.createdAt,
            updatedAt: binding.updatedAt)
    }

    /// The binding of a row. A stream has no connection any more: the binding waits for its device to come back.
    ///
    /// - Returns: nil when there is no listener left by which the device could be reached.
    func binding(of row: BindingRow) -> Binding? {
        guard let listener = listener(of: row) else { return nil }
        return row.contact.withSlice { contact in
            (row.instance ?? []).withSlice { instance in
                (row.path ?? []).withSlice { path in
                    row.userAgent.withSlice { userAgent in
                        Binding(
                            .init(contact: contact, instance: instance, path: path, userAgent: userAgent),
                            registrationID: row.regID ?? 0, q: row.q, callIDHash: row.callIDHash,
                            sequenceNumber: row.cseq, expiresAt: row.expiresAt, createdAt: row.createdAt,
                            updatedAt: row.updatedAt,
                            flow: Flow(transport: row.transport, listener: listener, remote: row.remote))
                    }
                }
            }
        }
    }

    /// The listener of before the restart, else one of the same transport and family.
    private func listener(of row: BindingRow) -> UInt16? {
        if let index = names.firstIndex(of: row.listener) { return UInt16(index) }
        let isIPv4 = row.remote.address.isIPv4
        return names.indices.first { transports[$0] == row.transport && families[$0] == isIPv4 }.map { UInt16($0) }
    }
}
