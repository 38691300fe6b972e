import Observability
import Primitives

/// The changes that a REGISTER makes to a client's bindings: computed on a copy, committed all or not at all (RFC 3261
/// 10.3 step 7).
struct BindingUpdate: Sendable {
    /// From whom and when the REGISTER is.
    struct Origin {
        let callIDHash: HashValue
        let sequenceNumber: UInt32
        let path: ByteSlice
        let userAgent: ByteSlice
        let flow: Flow
        let now: UnixTime
    }

    /// The bindings before the request.
    private let before: [Binding]
    /// The bindings after the request.
    private(set) var bindings: [Binding]
    /// What is to be stored.
    private(set) var changes: [BindingChange] = []
    /// True for a request whose changes were made before.
    private(set) var isRepetition = false
    /// True when a binding is now on another connection than before.
    private(set) var needsTracking = false
    /// The binding that was unreachable and is heard again, as it was.
    private(set) var recovered: Binding?
    private let clientID: Int64
    private var added = 0
    private var moved = 0
    private var refreshed = 0

    /// What was done, for the log.
    var outcome: Registration.Outcome {
        if isRepetition { return .repeated }
        return added > 0 ? .created : moved > 0 ? .moved : refreshed > 0 ? .refreshed : .removed
    }

    /// The changes that `contacts` ask for.
    init(
        of client: ClientEntry, by contacts: RegisterContacts, _ origin: Origin, _ policy: RegistrarPolicy
    ) throws(Refusal) {
        before = client.bindings
        bindings = client.bindings
        clientID = client.id
        try checkOrder(contacts, origin)
        if isRepetition { return }
        if contacts.removesAll {
            removeAll()
            return
        }
        for index in 0..<contacts.count { try apply(contacts[index], isOnly: contacts.count == 1, origin, policy) }
    }

    /// The Call-ID and CSeq of each binding that the request would change, before any is changed: the requests of one
    /// Call-ID must come in order. The same CSeq means that the answer was lost: it is given again.
    private mutating func checkOrder(_ contacts: RegisterContacts, _ origin: Origin) throws(Refusal) {
        for binding in bindings where binding.callIDHash == origin.callIDHash && binding.isLive(at: origin.now) {
            if binding.sequenceNumber < origin.sequenceNumber { continue }
            guard contacts.removesAll || Self.means(binding, contacts) else { continue }
            if binding.sequenceNumber > origin.sequenceNumber { throw Refusal(.registerOutOfOrder) }
            isRepetition = true
        }
    }

    private static func means(_ binding: Binding, _ contacts: RegisterContacts) -> Bool {
        for index in 0..<contacts.count where binding.matches(contacts[index]) { return true }
        return false
    }

    /// What takes the changes back.
    func undo(of client: LoginKey) -> BindingUndo {
        BindingUndo(client: client, clientID: clientID, before: before, after: bindings)
    }

    /// Makes nothing of the changes: the request is a retransmission, and its answer lists what there is.
    mutating func withdraw(to bindings: [Binding]) {
        self.bindings = bindings
        changes = []
        isRepetition = true
        needsTracking = false
        recovered = nil
    }

    private mutating func removeAll() {
        if bindings.isEmpty { return }
        bindings = []
        changes.append(.deleteAll(clientID: clientID))
    }

    private mutating func apply(
        _ contact: RegisterContact, isOnly: Bool, _ origin: Origin, _ policy: RegistrarPolicy
    ) throws(Refusal) {
        var found = bindings.firstIndex { $0.matches(contact) }
        if found == nil, contact.expires > 0, isOnly { found = left(by: contact, origin) }
        if contact.expires == 0 {
            // Removing what is not there is no fault: it is gone, as was asked for.
            if let found { remove(at: found) }
            return
        }
        if let found {
            replace(at: found, contact, origin)
        } else {
            try makeRoom(policy, origin.now)
            bindings.append(Binding(contact, origin, createdAt: origin.now))
            added += 1
            changes.append(.upsert(clientID: clientID, bindings[bindings.count - 1]))
            needsTracking = true
        }
    }

    /// The binding that the device of this contact had before, by its Call-ID; else by its program and address, when no
    /// other device can be meant.
    private func left(by contact: RegisterContact, _ origin: Origin) -> Int? {
        if let own = bindings.firstIndex(where: { $0.isLeft(by: contact, origin) && $0.hasCallID(of: origin) }) {
            return own
        }
        let alike = bindings.indices.filter {
            bindings[$0].isLeft(by: contact, origin) && bindings[$0].hasLostProgram(of: origin)
        }
        return alike.count == 1 ? alike.first : nil
    }

    private mutating func replace(at index: Int, _ contact: RegisterContact, _ origin: Origin) {
        let old = bindings[index]
        let wasLive = old.isLive(at: origin.now)
        if wasLive, old.liveness.isUnreachable, recovered == nil { recovered = old }
        if old.hasText(of: contact, origin) {
            // The texts, which are nearly always the same, are shared and not copied.
            bindings[index].refresh(contact, origin)
        } else {
            bindings[index] = Binding(contact, origin, createdAt: wasLive ? old.createdAt : origin.now)
            bindings[index].succeed(old, at: origin.now, isSameDevice: old.isOfDevice(contact, origin))
            let oldKey = old.key
            if oldKey != bindings[index].key { changes.append(.delete(clientID: clientID, key: oldKey)) }
        }
        if !wasLive {
            bindings[index].createdAt = origin.now
            added += 1
        } else if old.flow != origin.flow || !old.hasContact(contact.uri) {
            moved += 1
        } else {
            refreshed += 1
        }
        if old.flow.connection != origin.flow.connection { needsTracking = true }
        changes.append(.upsert(clientID: clientID, bindings[index]))
    }

    /// Makes room for one binding more: first at the cost of an expired one, then as configured.
    private mutating func makeRoom(_ policy: RegistrarPolicy, _ now: UnixTime) throws(Refusal) {
        guard bindings.count >= max(1, policy.maxBindings) else { return }
        if let expired = bindings.firstIndex(where: { !$0.isLive(at: now) }) {
            remove(at: expired)
            return
        }
        if policy.whenFull == .refuse { throw Refusal(.tooManyBindings) }
        guard let oldest = bindings.indices.min(by: { bindings[$0].updatedAt < bindings[$1].updatedAt }) else { return }
        remove(at: oldest)
    }

    private mutating func remove(at index: Int) {
        changes.append(.delete(clientID: clientID, key: bindings[index].key))
        bindings.remove(at: index)
    }
}

extension Binding {
    fileprivate init(_ contact: RegisterContact, _ origin: BindingUpdate.Origin, createdAt: UnixTime) {
        self.init(
            Text(
                contact: contact.uri, instance: contact.instance, path: origin.path, userAgent: origin.userAgent),
            registrationID: contact.registrationID, q: contact.q, callIDHash: origin.callIDHash,
            sequenceNumber: origin.sequenceNumber, expiresAt: origin.now, createdAt: createdAt,
            updatedAt: origin.now, flow: origin.flow)
        refresh(contact, origin)
    }

    fileprivate mutating func refresh(_ contact: RegisterContact, _ origin: BindingUpdate.Origin) {
        let isSameDevice = isOfDevice(contact, origin)
        q = contact.q
        callIDHash = origin.callIDHash
        sequenceNumber = origin.sequenceNumber
        expiresAt = UnixTime(milliseconds: origin.now.milliseconds &+ Int64(contact.expires) * 1000)
        updatedAt = origin.now
        move(to: origin.flow, at: origin.now)
        if !isSameDevice { liveness.forgetFlows() }
        _ = liveness.heard(at: origin.now, isAnswer: false)
    }

    /// True when it is certain that this device, and not another one with the same contact, has made the binding.
    fileprivate func isOfDevice(_ contact: RegisterContact, _ origin: BindingUpdate.Origin) -> Bool {
        hasCallID(of: origin) || !contact.instance.isEmpty && withText { $0.instance == contact.instance }
    }

    /// True for the binding of a device that may have come back by another way with another contact, and has no
    /// instance-id by which RFC 5626 would tell: by another flow of the same transport.
    fileprivate func isLeft(by contact: RegisterContact, _ origin: BindingUpdate.Origin) -> Bool {
        if hasInstance || !contact.instance.isEmpty || flow == origin.flow { return false }
        return flow.transport == origin.flow.transport && isReachedByFlow == origin.path.isEmpty
    }

    /// True for the same Call-ID, which a device keeps over its registrations (RFC 3261 10.2).
    fileprivate func hasCallID(of origin: BindingUpdate.Origin) -> Bool { callIDHash == origin.callIDHash }

    /// True for a lost connection, and the same program at the same address.
    fileprivate func hasLostProgram(of origin: BindingUpdate.Origin) -> Bool {
        !hasFlow && flow.remote.address == origin.flow.remote.address && !origin.userAgent.isEmpty
            && withText { $0.userAgent == origin.userAgent }
    }

    fileprivate func matches(_ contact: RegisterContact) -> Bool {
        matches(contact: contact.uri, instance: contact.instance, registrationID: contact.registrationID)
    }

    fileprivate func hasContact(_ uri: ByteSlice) -> Bool { withText { $0.contact == uri } }

    fileprivate func hasText(of contact: RegisterContact, _ origin: BindingUpdate.Origin) -> Bool {
        registrationID == contact.registrationID
            && withText {
                $0.contact == contact.uri && $0.instance == contact.instance && $0.path == origin.path
                    && $0.userAgent == origin.userAgent
            }
    }
}
