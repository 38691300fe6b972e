import Primitives
import SIPMessage
import Testing

/// A message parsed from a text, with what tests ask of it. Its bytes live as long as it does.
final class Parsed {
    private let memory: UnsafeMutableRawBufferPointer
    private(set) var message = SIPMessage()
    let fault: Fault?

    /// Parses bytes as they are.
    init(_ bytes: [UInt8], isStream: Bool = false) {
        memory = .allocate(byteCount: bytes.count, alignment: 1)
        memory.copyBytes(from: bytes)
        fault = message.parse(ByteSlice(UnsafeRawBufferPointer(memory)), isStream: isStream)
    }

    deinit { memory.deallocate() }

    /// Parses a text whose lines end as they are written.
    convenience init(raw text: String, isStream: Bool = false) { self.init(Array(text.utf8), isStream: isStream) }

    /// Parses a text with each line feed made a CRLF.
    convenience init(_ text: String, isStream: Bool = false) { self.init(wire(text), isStream: isStream) }

    var fieldCount: Int { message.fieldCount }
    var isRequest: Bool { message.isRequest }
    var isAnswerable: Bool { message.isAnswerable }
    var method: Method { message.method }
    var methodText: String { message.methodText.string }
    var requestURI: String { message.requestURI.string }
    var uri: SIPURI? { SIPURI(message.requestURI) }
    var status: UInt16 { message.status }
    var reasonPhrase: String { message.reasonPhrase.string }
    var topVia: Via { message.topVia }
    var branch: String { message.topVia.branch.string }
    var from: NameAddress { message.from }
    var to: NameAddress { message.to }
    var fromTag: String { message.fromTag.string }
    var toTag: String { message.toTag.string }
    var callID: String { message.callID.string }
    var sequenceNumber: UInt32 { message.sequenceNumber }
    var maxForwards: UInt8? { message.maxForwards }
    var body: ByteSlice { message.body }
    var bytes: ByteSlice { message.bytes }

    /// The first value of a header.
    func value(_ name: HeaderName) -> String? { message.value(of: name)?.string }

    /// All values of a header.
    func values(_ name: HeaderName) -> [ByteSlice] {
        var values = message.values(of: name)
        var found: [ByteSlice] = []
        while let value = values.next(in: message) { found.append(value) }
        return found
    }

    /// The first value of a header as an address.
    func firstAddress(_ name: HeaderName) throws -> NameAddress {
        let value = try #require(values(name).first)
        return try #require(NameAddress(value))
    }

    /// The names of the fields as they came.
    var names: [String] { (0..<message.fieldCount).map { message.name(message.field($0)).string } }

    /// The start of a response to the message, up to before the empty line.
    func response(
        _ status: UInt16, phrase: ByteSlice? = nil, source: SocketAddress? = nil, toTag: ByteSlice = ""
    ) -> String {
        var writer = ByteWriter(capacity: 256)
        writer.beginResponse(to: message, status: status, phrase: phrase, source: source, toTag: toTag)
        return writer.slice.string
    }
}

/// The UTF-8 of a text with each line feed made a CRLF.
func wire(_ text: String) -> [UInt8] {
    var bytes: [UInt8] = []
    for byte in text.utf8 {
        if byte == 10 { bytes.append(13) }
        bytes.append(byte)
    }
    return bytes
}

/// A valid OPTIONS with lines added or one of its own replaced or (with an empty text) left out.
func options(_ changes: [String: String] = [:], adding lines: String = "", body: String = "") -> String {
    var text = changes["start"] ?? "OPTIONS sip:bob@example.com SIP/2.0\n"
    let own = [
        ("Via", "Via: SIP/2.0/UDP 192.0.2.1:5062;branch=z9hG4bKabc;rport\n"), ("Max-Forwards", "Max-Forwards: 70\n"),
        ("From", "From: <sip:alice@example.com>;tag=1\n"), ("To", "To: <sip:bob@example.com>\n"),
        ("Call-ID", "Call-ID: abc@192.0.2.1\n"), ("CSeq", "CSeq: 7 OPTIONS\n"),
    ]
    for (name, line) in own { text += changes[name] ?? line }
    return text + lines + "\n" + body
}
