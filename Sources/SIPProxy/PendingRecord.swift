import Observability
import Primitives
import SIPMessage

/// What a response context keeps for the record of its request.
struct PendingRecord {
    /// `.none` for a request without a record.
    var number = RecordNumber.none
    /// The client that sent it; 0 when the server did.
    var clientID: Int64 = 0
    /// The record has been told that a device rings.
    var isRinging = false
    /// How much of `content` is the name dialled.
    private var dialledLength: UInt32 = 0
    /// Of a client's text, which is told in one at its end: the name dialled, then the text.
    private var content: [UInt8] = []

    /// No record.
    init() {}

    /// The record of a call, or of a text of the server's own, which were told already.
    init(_ number: RecordNumber, clientID: Int64 = 0) {
        self.number = number
        self.clientID = clientID
    }

    /// The record of a client's text.
    init(_ number: RecordNumber, clientID: Int64, dialled: [UInt8], text: ByteSlice) {
        self.init(number, clientID: clientID)
        dialledLength = UInt32(truncatingIfNeeded: dialled.count)
        content = dialled
        text.withUnsafeBytes { content.append(contentsOf: $0) }
    }

    /// The name that a text was sent to.
    var dialled: [UInt8] { Array(content.prefix(Int(dialledLength))) }
    /// The text.
    var text: [UInt8] { Array(content.dropFirst(Int(dialledLength))) }
}

extension RecordNumber {
    /// The number of what has no record.
    static var none: RecordNumber { RecordNumber(0) }
}

extension SIPMessage {
    /// True for a MESSAGE that somebody wrote: not for a notice that he is writing (RFC 3994) or has read (RFC 5438).
    var isWritten: Bool {
        let type = contentType
        return !type.equalsIgnoringCase("application/im-iscomposing+xml")
            && !type.equalsIgnoringCase("message/imdn+xml")
    }

    /// The body when it is text that can be read as it is, else nothing.
    var text: ByteSlice {
        guard contentType.starts(withIgnoringCase: "text/") else { return .empty }
        if let encoding = value(of: .contentEncoding), !encoding.equalsIgnoringCase("identity") { return .empty }
        return body
    }

    /// The type and subtype of the body, without parameters.
    private var contentType: ByteSlice {
        let value = value(of: .contentType) ?? .empty
        return value[0..<(value.firstIndex(of: UInt8(ascii: ";")) ?? value.count)].trimmed()
    }

    /// The user that a request is for as dialled: escapes decoded, of a number the digits; the whole Request-URI where it
    /// names no user.
    func dialled(_ uri: SIPURI?) -> [UInt8] {
        if let uri, uri.hasUser {
            if uri.user.firstIndex(of: UInt8(ascii: "%")) == nil { return uri.user.bytes }
            var writer = ByteWriter(capacity: uri.user.count)
            writer.append(unescaped: uri.user)
            return writer.slice.bytes
        }
        return uri == nil ? TelURI(requestURI)?.plainNumber ?? requestURI.bytes : requestURI.bytes
    }
}
