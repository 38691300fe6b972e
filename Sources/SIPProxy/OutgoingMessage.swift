import Observability
import Primitives
import SIPMessage
import SIPRegistrar

/// A text that the server sends by itself.
public struct OutgoingMessage: Sendable {
    /// The user that it is from, as in a URI: what a URI cannot hold is escaped.
    public var from: [UInt8]
    /// The user that it is for, in the same form.
    public var to: [UInt8]
    /// The text in UTF-8.
    public var body: [UInt8]
    /// The number of its record.
    public var number: RecordNumber

    /// All parts.
    public init(from: [UInt8], to: [UInt8], body: [UInt8], number: RecordNumber) {
        self.from = from
        self.to = to
        self.body = body
        self.number = number
    }
}

extension OutgoingMessage {
    /// Writes the MESSAGE (RFC 3428) as far as forwarding does not add to it: Via, Max-Forwards and Content-Length.
    ///
    /// Call-ID and tag are of the number and a secret: nobody else can make them, and they need no random numbers.
    func write(to writer: inout ByteWriter, domain: ByteSlice, key: HashKey) {
        writer.append("MESSAGE ")
        OutgoingMessage.append(to, domain, &writer)
        writer.append(" SIP/2.0\r\nFrom: <")
        OutgoingMessage.append(from, domain, &writer)
        writer.append(">;tag=")
        var hash = SipHash(key: key)
        hash.update("message")
        hash.update(UInt64(bitPattern: number.value))
        let value = hash.finalize()
        writer.append(hexadecimal: value.second, digits: 16)
        writer.append("\r\nTo: <")
        OutgoingMessage.append(to, domain, &writer)
        writer.append(">\r\nCall-ID: ")
        writer.append(hexadecimal: UInt64(bitPattern: number.value), digits: 16)
        writer.append(hexadecimal: value.first, digits: 16)
        writer.append("\r\nCSeq: 1 MESSAGE\r\nContent-Type: text/plain;charset=UTF-8\r\n\r\n")
        writer.append(body)
    }

    private static func append(_ user: [UInt8], _ domain: ByteSlice, _ writer: inout ByteWriter) {
        writer.append("sip:")
        writer.append(user)
        writer.append(byte: UInt8(ascii: "@"))
        writer.append(host: domain)
    }
}

extension ByteWriter {
    /// Appends a domain as the host of a URI: an IPv6 address in brackets.
    mutating func append(host domain: ByteSlice) {
        let isBare = domain.firstIndex(of: UInt8(ascii: ":")) != nil && domain.first != UInt8(ascii: "[")
        if isBare { append("[") }
        append(domain)
        if isBare { append("]") }
    }
}

extension SIPServer {
    /// Sends a text of the server's own to all devices of a client, as if a trusted client had sent it, or to a number outside
    /// by a gateway.
    ///
    /// - Returns: Why nothing was sent, at once and without effects; nil when its end will be told by
    ///   `RecordChange.messageEnded`, which may be in `effects` already.
    public func sendMessage(_ message: OutgoingMessage, now: Now, effects: inout Effects) -> Reason? {
        if isFull(forDialogs: false) { return .serverOverloaded }
        guard message.from.isURIUser, message.to.isURIUser else { return .messageMalformed }
        if settings.isDraining { return .serverStopping }
        var targets: [Target] = []
        if let reason = message.to.withSlice({ appendTargets(ofUser: $0, now: now, to: &targets) }) {
            if reason == .calleeUnknown, case .found(let way) = way(toNumber: message.to) {
                return sendOutside(message, way, now: now, effects: &effects)
            }
            return reason
        }
        let otherFlows = targets.takeOtherFlows()
        if targets.count > settings.maxForks { targets.removeLast(targets.count - settings.maxForks) }
        var writer = ByteWriter(capacity: 512 + message.body.count)
        domains.domain.withSlice { message.write(to: &writer, domain: $0, key: settings.runKey) }
        if writer.count > settings.messageSize { return .messageTooLarge }
        send(
            writer.slice, to: targets.map { .binding($0.binding) }, otherFlows: otherFlows,
            PendingRecord(message.number), now: now, effects: &effects)
        return nil
    }
}

extension [UInt8] {
    /// True for the user of a URI (RFC 3261 25.1).
    fileprivate var isURIUser: Bool {
        !isEmpty && withSlice { $0.hasValidEscapes }
            && allSatisfy { ASCII.isUnreserved($0) || ASCII.isUserMark($0) || $0 == UInt8(ascii: "%") }
    }
}

extension ASCII {
    /// A byte of `user-unreserved` (RFC 3261 25.1).
    fileprivate static func isUserMark(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "&"), UInt8(ascii: "="), UInt8(ascii: "+"), UInt8(ascii: "$"), UInt8(ascii: ","),
            UInt8(ascii: ";"), UInt8(ascii: "?"), UInt8(ascii: "/"):
            true
        default: false
        }
    }
}
