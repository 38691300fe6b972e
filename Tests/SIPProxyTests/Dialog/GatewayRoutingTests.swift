import Primitives
import Testing

@testable import SIPProxy

@Suite("Gateway rules")
struct GatewayRoutingTests {
    private func gateway(_ rules: [Gateway.Rule], uri: String = "sip:gw.example.net") -> Gateway {
        var gateway = Gateway(name: Array("gw".utf8), uri: Array(uri.utf8))
        gateway.rules = rules
        return gateway
    }

    private func rule(_ prefix: String, strip: Int = 0, prepend: String = "") -> Gateway.Rule {
        Gateway.Rule(prefix: Array(prefix.utf8), strip: strip, prepend: Array(prepend.utf8))
    }

    @Test(
        "Only digits, star and hash, with a plus in front or without, are a number",
        arguments: [
            ("+4930123", "+4930123"), ("0301", "0301"), ("*21%23", "*21#"), ("%2b49", "+49"), ("", nil), ("+", nil),
            ("bob", nil), ("49+30", nil), ("++49", nil), ("+49 30", nil), ("%0d%0a", nil), ("12%3e", nil),
            ("123456789012345678901234567890123", nil),
        ] as [(String, String?)])
    func number(_ user: String, _ number: String?) {
        #expect(user.withSlice { Gateway.number($0) } == number.map { Array($0.utf8) })
    }

    @Test("The rule with the longest prefix counts, and changes the number")
    func longest() {
        let gateway = gateway([rule("0", strip: 1, prepend: "+49"), rule("00", strip: 2, prepend: "+"), rule("+")])
        #expect(gateway.route(Array("0301".utf8))?.number == Array("+49301".utf8))
        #expect(gateway.route(Array("0044".utf8))?.number == Array("+44".utf8))
        #expect(gateway.route(Array("+1".utf8))?.number == Array("+1".utf8))
        #expect(gateway.route(Array("301".utf8)) == nil)
    }

    @Test("A number shorter than what is taken away goes nowhere, or is what is put in front")
    func short() {
        #expect(gateway([rule("", strip: 9)]).route(Array("0301".utf8)) == nil)
        #expect(gateway([rule("", strip: 9, prepend: "0")]).route(Array("0301".utf8))?.number == Array("0".utf8))
        #expect(gateway([rule("", strip: -1)]).route(Array("0301".utf8))?.number == Array("0301".utf8))
    }

    @Test("Of several gateways the longest match is tried first, then their order")
    func order() {
        let gateways = [gateway([rule("")]), gateway([rule("+49")]), gateway([rule("")])]
        #expect(gateways.routes(of: Array("+4930".utf8)).map(\.gateway) == [1, 0, 2])
        #expect(gateways.routes(of: Array("+1".utf8)).map(\.gateway) == [0, 2])
        #expect([gateway([rule("9")])].routes(of: Array("+1".utf8)).isEmpty)
    }

    @Test(
        "The Request-URI has the number as the user of the gateway's URI",
        arguments: [
            ("sip:gw.example.net", "sip:+49@gw.example.net"),
            ("sip:10.0.0.1:5080;transport=tcp", "sip:+49@10.0.0.1:5080;transport=tcp"),
            ("sip:old@[::1]?X=y", "sip:+49@[::1]"),
        ])
    func uri(_ uri: String, _ expected: String) {
        #expect(gateway([], uri: uri).requestURI(Array("+49".utf8)) == Array(expected.utf8))
    }

    @Test("A hash is escaped, and a gateway without a URI of SIP has no Request-URI")
    func escapes() {
        #expect(gateway([]).requestURI(Array("*21#".utf8)) == Array("sip:*21%23@gw.example.net".utf8))
        #expect(gateway([], uri: "tel:+49").requestURI(Array("1".utf8)) == nil)
    }

    @Test("A gateway is known by its addresses")
    func inbound() throws {
        var gateway = gateway([])
        let address = IPAddress(ipv4: 0x0a00_0005)
        #expect(!gateway.isInbound(address))
        gateway.inbound = [try #require(IPNetwork("10.0.0.0/24"))]
        #expect(gateway.isInbound(address))
        #expect([gateway].inbound(from: address) == 0)
        #expect([gateway].inbound(from: IPAddress(ipv4: 0x0b00_0005)) == nil)
    }
}
