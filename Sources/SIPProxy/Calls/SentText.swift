import Primitives
import SIPMessage
import SIPRegistrar

/// A text of an application, or one to a number outside, that is under way.
struct SentText {
    /// Its record: that of `CallText`, of the API, or of a client's text.
    let record: PendingRecord
    /// The MESSAGE without Via, to send it again with credentials.
    let request: [UInt8]
    /// Where it goes, with what it is authenticated there.
    let way: LegWay
    /// It was sent again with credentials.
    var isRetried = false
}

/// The client whose text is passed on to a number outside: it waits for the answer.
struct TextSender {
    /// Its server transaction.
    let transaction: SlabIndex
    /// The MESSAGE as received, with received and rport in its topmost Via.
    let request: [UInt8]
}

extension ByteWriter {
    /// Writes the beginning of a MESSAGE of the server's own (RFC 3428), as far as forwarding does not add to it; header lines,
    /// an empty line and the body follow.
    mutating func beginMessage(
        from user: String, domain: ByteSlice, tag: [UInt8], to uri: [UInt8], callID: [UInt8]
    ) {
        append("MESSAGE ")
        append(uri)
        append(" SIP/2.0\r\nFrom: <sip:")
        append(escapingUser: user)
        append(byte: UInt8(ascii: "@"))
        append(host: domain)
        append(">;tag=")
        append(tag)
        append("\r\nTo: <")
        append(uri)
        append(">\r\nCall-ID: ")
        append(callID)
        append("\r\nCSeq: 1 MESSAGE\r\n")
    }

    /// Writes a header line that an application wants, unless it is not one of `X-`, or could be more than one line.
    mutating func appendForeign(_ name: String, _ value: String) {
        let isName = name.utf8.count <= 64 && name.lowercased().hasPrefix("x-") && name.utf8.allSatisfy(ASCII.isToken)
        guard isName, value.utf8.count <= 1024, value.utf8.allSatisfy({ $0 >= 32 && $0 != 127 }) else { return }
        append(name)
        append(": ")
        append(value)
        append("\r\n")
    }
}
