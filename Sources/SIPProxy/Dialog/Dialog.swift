import Primitives
import SIPMessage

/// One dialog of which this server is an end: what it has to know to send requests in it (RFC 3261 section 12).
///
/// Requests are written as forwarding wants them: without Via, Max-Forwards and Content-Length.
struct Dialog: Sendable {
    /// The Call-ID.
    let callID: [UInt8]
    /// Our tag.
    let localTag: [UInt8]
    /// The peer's tag; empty for a peer that has none (12.1.1, RFC 2543).
    let remoteTag: [UInt8]
    /// The value of From of our requests, tag included: as the first message has shown us to the peer.
    let local: [UInt8]
    /// The value of To of our requests, tag included.
    let remote: [UInt8]
    /// The number of our last request, 0 before the first of a callee.
    private(set) var localSequence: UInt32
    /// The number of the peer's last request; nil before the first of a callee.
    private(set) var remoteSequence: UInt32?
    /// Where our requests are for: the peer's Contact, without what a Request-URI must not have.
    private(set) var remoteTarget: [UInt8]
    /// The values of Route, in one line; empty for none.
    private(set) var routeSet: [UInt8]
    /// The way to the peer, or to the first proxy before it.
    var flow: Flow
    /// False while there was no 2xx.
    private(set) var isConfirmed: Bool

    /// The dialog of an INVITE that this server answers as the callee (12.1.1); nil without a usable Contact or From.
    ///
    /// - Parameter localTag: The tag of all our answers to it.
    init?(asCallee request: borrowing SIPMessage, localTag: [UInt8], flow: Flow) {
        guard request.toTag.isEmpty, let from = request.value(of: .from), let to = request.value(of: .to),
            let target = Dialog.target(of: request)
        else { return nil }
        callID = request.callID.bytes
        self.localTag = localTag
        remoteTag = request.fromTag.bytes
        local = to.bytes + Array(";tag=".utf8) + localTag
        remote = from.bytes
        localSequence = 0
        remoteSequence = request.sequenceNumber
        remoteTarget = target
        routeSet = Dialog.recordedRoute(of: request, isReversed: false)
        self.flow = flow
        isConfirmed = false
    }

    /// The dialog that an answer to our INVITE makes (12.1.2); nil when it makes none: it has no tag, is a refusal, or is
    /// not an answer to a request with `localTag`.
    ///
    /// - Parameter requestURI: That of our INVITE: it stays the target of an answer without Contact.
    init?(asCaller response: borrowing SIPMessage, localTag: [UInt8], requestURI: ByteSlice, flow: Flow) {
        guard response.status > 100, response.status < 300, !response.toTag.isEmpty,
            localTag.withSlice({ $0 == response.fromTag }), let from = response.value(of: .from),
            let to = response.value(of: .to),
            let target = Dialog.target(of: response) ?? Dialog.target(requestURI)
        else { return nil }
        callID = response.callID.bytes
        self.localTag = localTag
        remoteTag = response.toTag.bytes
        local = from.bytes
        remote = to.bytes
        localSequence = response.sequenceNumber
        remoteSequence = nil
        remoteTarget = target
        routeSet = Dialog.recordedRoute(of: response, isReversed: true)
        self.flow = flow
        isConfirmed = response.status >= 200
    }

    /// True when a request is one of the peer in this dialog (12.2.2).
    func contains(_ request: borrowing SIPMessage) -> Bool {
        callID.withSlice { $0 == request.callID } && localTag.withSlice { $0 == request.toTag }
            && remoteTag.withSlice { $0 == request.fromTag }
    }

    /// True when an answer to our INVITE is one of this dialog, not of another fork.
    func contains(answer response: borrowing SIPMessage) -> Bool {
        remoteTag.withSlice { $0 == response.toTag }
    }

    // MARK: What changes

    /// Our 2xx has gone out, or the peer's has come: its route and target replace those of a provisional answer (12.1.2,
    /// 13.2.2.4), once.
    mutating func confirm(by response: borrowing SIPMessage) {
        if isConfirmed { return }
        isConfirmed = true
        routeSet = Dialog.recordedRoute(of: response, isReversed: true)
        refreshTarget(by: response)
    }

    /// The dialog that we answer has got its 2xx.
    mutating func confirm() { isConfirmed = true }

    /// Takes the Contact of a target refresh: a re-INVITE or UPDATE, or a 2xx to one (12.2.1.2, 12.2.2). Any other message,
    /// and one without a usable Contact, changes nothing.
    mutating func refreshTarget(by message: borrowing SIPMessage) {
        guard message.method == .invite || message.method == .update, message.isRequest || message.status < 300,
            let target = Dialog.target(of: message)
        else { return }
        remoteTarget = target
    }

    /// The number for our next request (12.2.1.1); nil when there is none left.
    mutating func nextSequence() -> UInt32? {
        // 8.1.1.5: below 2^31.
        guard localSequence < 0x7fff_fffe else { return nil }
        localSequence += 1
        return localSequence
    }

    /// Notes the number of a request of the peer; false for one that is out of order, which is answered 500 (12.2.2). ACK
    /// and CANCEL bear the number of their INVITE and are not asked.
    mutating func accepts(sequence: UInt32) -> Bool {
        // One that is equal is none of a peer that counts: its retransmissions end in their transaction.
        if let last = remoteSequence, sequence <= last { return false }
        remoteSequence = sequence
        return true
    }

    // MARK: Reading

    /// The URI of the first Contact, fit to be a Request-URI.
    private static func target(of message: borrowing SIPMessage) -> [UInt8]? {
        var values = message.values(of: .contact)
        guard let value = values.next(in: message), let address = NameAddress(value) else { return nil }
        return target(address.uri)
    }

    /// A URI without headers and method parameter (19.1.1, table 1); nil for one that is not of SIP.
    private static func target(_ uri: ByteSlice) -> [UInt8]? {
        guard let parsed = SIPURI(uri) else { return nil }
        let end = uri.firstIndex(of: UInt8(ascii: "?")) ?? uri.count
        guard parsed.parameter("method") != nil else { return uri[0..<end].bytes }
        let text = parsed.parameters.text
        var target = uri[0..<text.offset(in: uri)].bytes
        var offset = 0
        var start = 0
        while let parameter = parsed.parameters.next(from: &offset) {
            if !parameter.name.equalsIgnoringCase("method") { target += text[start..<parameter.end].bytes }
            start = parameter.end
        }
        return target
    }

    /// The values of Record-Route in one line, first hop first.
    private static func recordedRoute(of message: borrowing SIPMessage, isReversed: Bool) -> [UInt8] {
        var found: [[UInt8]] = []
        var values = message.values(of: .recordRoute)
        while let value = values.next(in: message) {
            // One that is no address leads nowhere.
            if NameAddress(value) != nil { found.append(value.bytes) }
        }
        if isReversed { found.reverse() }
        return Array(found.joined(separator: Array(", ".utf8)))
    }
}
