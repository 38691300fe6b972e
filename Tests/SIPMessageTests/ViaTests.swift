import Primitives
import SIPMessage
import Testing

@Suite("Via")
struct ViaTests {
    @Test("A value has transport, sent-by and parameters, and ends at its comma")
    func value() {
        let via = Via(
            firstOf: "SIP/2.0/UDP host.example.com:5062;branch=z9hG4bK1;ttl=3;maddr=224.0.1.75 , SIP/2.0/TCP b")
        #expect(via?.transport == "UDP" && via?.host == "host.example.com" && via?.port == 5062)
        #expect(via?.branch == "z9hG4bK1" && via?.hasMagicCookie == true)
        #expect(via?.multicastAddress == "224.0.1.75" && via?.parameters["ttl"] == "3")
        #expect(via?.text == "SIP/2.0/UDP host.example.com:5062;branch=z9hG4bK1;ttl=3;maddr=224.0.1.75")
        #expect(via?.hasResponsePort == false && via?.responsePort == nil && via?.received == "")
    }

    @Test("White space and folding may stand around slashes, colon, semicolons and equals signs (RFC 4475 3.1.1.1)")
    func whiteSpace() {
        let via = Via(firstOf: "SIP  /   2.0\r\n / UDP\r\n  h : 5060  ;\r\n  branch  =   z9hG4bK9 ; rport  ")
        #expect(via?.transport == "UDP" && via?.host == "h" && via?.port == 5060 && via?.branch == "z9hG4bK9")
        #expect(via?.hasResponsePort == true && via?.responsePort == nil)
    }

    @Test("rport may have a value or none (RFC 3581)")
    func responsePort() {
        let asking = Via(firstOf: "SIP/2.0/UDP h;rport;branch=1")
        #expect(asking?.hasResponsePort == true && asking?.responsePort == nil)
        #expect(asking?.responsePortOffset == 19)
        let answered = Via(firstOf: "SIP/2.0/UDP h;received=192.0.2.4;RPORT=9988")
        #expect(
            answered?.hasResponsePort == true && answered?.responsePort == 9988 && answered?.responsePortOffset == nil)
        #expect(answered?.received == "192.0.2.4")
    }

    @Test("An IPv6 sent-by keeps its brackets; received has none")
    func ipv6() {
        let via = Via(firstOf: "SIP/2.0/UDP [2001:db8::9:1]:5061;received=2001:db8::9:255;branch=z9hG4bKas3")
        #expect(via?.host == "[2001:db8::9:1]" && via?.port == 5061)
        #expect(via?.received == "2001:db8::9:255")
    }

    @Test("The magic cookie alone is no RFC 3261 branch (RFC 4475 3.2.1)")
    func magicCookie() {
        #expect(Via(firstOf: "SIP/2.0/UDP h;branch=z9hG4bK")?.hasMagicCookie == false)
        #expect(Via(firstOf: "SIP/2.0/UDP h;branch=Z9HG4BK1")?.hasMagicCookie == true)
        #expect(Via(firstOf: "SIP/2.0/UDP h;branch=390skdjuw")?.hasMagicCookie == false)
        #expect(Via(firstOf: "SIP/2.0/UDP h")?.hasMagicCookie == false)
    }

    @Test(
        "Anything else is malformed",
        arguments: [
            "", "SIP/2.0/UDP", "SIP/2.0/UDP ", "SIP/2.0/UDPh", "SIP/2.0 h", "HTTP/2.0/UDP h", "SIP/3.0/UDP h",
            "SIP//UDP h",
            "SIP/2.0/ h", "SIP/2.0/UDP h:", "SIP/2.0/UDP h:65536", "SIP/2.0/UDP h:0", "SIP/2.0/UDP h:x",
            "SIP/2.0/UDP h:5060x",
            "SIP/2.0/UDP h x", "SIP/2.0/UDP ;branch=1", "SIP/2.0/UDP [::1", "SIP/2.0/UDP [1.2.3.4]",
            "SIP/2.0/UDP [::g]",
            "SIP/2.0/UDP ::1", "SIP/2.0/UDP h;", "SIP/2.0/UDP h;;,;,,", "SIP/2.0/UDP h;rport=",
            "SIP/2.0/UDP h;rport=\"\"",
            "SIP/2.0/UDP h;rport=65536", "SIP/2.0/UDP h;rport=x", "SIP/2.0/UDP h;rport;rport",
            "SIP/2.0/UDP h;branch=1;branch=2",
            "SIP/2.0/UDP h;x=\"", "SIP/2.0/UDP h\u{0}", ", SIP/2.0/UDP h",
        ])
    func malformed(text: String) {
        let isVia = text.withSlice { Via(firstOf: $0) != nil }
        #expect(!isVia)
    }

    @Test("A response to a datagram goes to its source; without rport to the port of sent-by, which is 5060 by default")
    func responseFlow() {
        let source = Flow(
            transport: .udp, listener: 0, remote: SocketAddress(address: IPAddress(ipv4: 0xc000_0204), port: 40000))
        #expect(Via(firstOf: "SIP/2.0/UDP h:5070;rport")?.responseFlow(source: source).remote.port == 40000)
        #expect(Via(firstOf: "SIP/2.0/UDP h:5070")?.responseFlow(source: source).remote.port == 5070)
        let flow = Via(firstOf: "SIP/2.0/UDP h;received=10.0.0.1;maddr=10.0.0.2")?.responseFlow(source: source)
        #expect(flow?.remote.port == 5060 && flow?.remote.address == source.remote.address)
        let stream = Flow(transport: .tcp, listener: 0, remote: source.remote, connection: 3)
        #expect(Via(firstOf: "SIP/2.0/TCP h:5070")?.responseFlow(source: stream) == stream)
    }
}
