import Primitives
import SIPMessage

@testable import SIPProxy

/// A message parsed from a text whose lines end with a line feed each, for tests of what reads messages. Its bytes live as long
/// as it does.
final class ParsedMessage {
    private let memory: UnsafeMutableRawBufferPointer
    private(set) var message = SIPMessage()
    let fault: Fault?

    init(_ text: String) {
        let wire = Array(text.replacing("\r\n", with: "\n").replacing("\n", with: "\r\n").utf8)
        memory = .allocate(byteCount: wire.count, alignment: 1)
        memory.copyBytes(from: wire)
        fault = message.parse(ByteSlice(UnsafeRawBufferPointer(memory)))
    }

    deinit { memory.deallocate() }

    /// An INVITE to this server as the callee.
    static func invite(_ headers: [String] = [], body: String = "", contact: String? = "<sip:alice@10.0.0.1:5070>")
        -> ParsedMessage
    {
        let lines =
            [
                "INVITE sip:+49301@example.com SIP/2.0", "Via: SIP/2.0/UDP 10.0.0.1:5070;branch=z9hG4bK1",
                "Max-Forwards: 70", "From: \"Alice\" <sip:alice@example.com>;tag=a1", "To: <sip:+49301@example.com>",
                "Call-ID: call-1", "CSeq: 7 INVITE",
            ] + (contact.map { ["Contact: \($0)"] } ?? []) + headers
        return ParsedMessage(lines.joined(separator: "\n") + "\n\n" + body)
    }

    /// An answer to an INVITE of this server.
    static func answer(
        _ status: Int, _ headers: [String] = [], method: String = "INVITE", toTag: String? = "b1", sequence: Int = 1,
        contact: String? = "<sip:bob@10.0.0.2:5080>"
    ) -> ParsedMessage {
        let lines =
            [
                "SIP/2.0 \(status) Answer", "Via: SIP/2.0/UDP 10.0.0.9:5060;branch=z9hG4bK9",
                "From: <sip:+49301@example.com>;tag=s1",
                "To: <sip:bob@example.com>" + (toTag.map { ";tag=\($0)" } ?? ""), "Call-ID: call-2",
                "CSeq: \(sequence) \(method)",
            ] + (contact.map { ["Contact: \($0)"] } ?? []) + headers
        return ParsedMessage(lines.joined(separator: "\n") + "\n\n")
    }
}

/// What `body` writes, as text.
func written(_ body: (inout ByteWriter) -> Void) -> String {
    var writer = ByteWriter(capacity: 256)
    body(&writer)
    return writer.slice.string
}

/// A flow over UDP to this port.
func udpFlow(_ port: UInt16) -> Flow {
    Flow(transport: .udp, listener: 0, remote: SocketAddress(address: IPAddress(ipv4: 0x0a00_0001), port: port))
}
