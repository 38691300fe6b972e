import Testing

@testable import Configuration

@Suite struct ConfigurationGatewayTests {
    private func read(_ text: String) throws -> Configuration {
        try Configuration.read(Array(text.utf8), file: "test")
    }

    private func problem(_ text: String) -> String? {
        do {
            _ = try read(text)
            return nil
        } catch {
            return "\(error)"
        }
    }

    @Test func `A gateway is read with its rules, and takes effect with a reload`() throws {
        let file = try read(
            """
            { gateways: [{ name: "carrier", uri: "sip:gw.example.com:5080;transport=tcp", user: "u", password: "p",
                inbound: ["192.0.2.0/24"], rules: [{ prefix: "00", strip: 2, prepend: "+" }, {}] }] }
            """)
        let gateway = try #require(file.gateways.first)
        #expect(gateway.name == "carrier" && gateway.user == "u" && gateway.inbound == ["192.0.2.0/24"])
        #expect(gateway.rules.map(\.prefix) == ["00", ""] && gateway.rules[0].strip == 2)
        let reload = Configuration().reloaded(from: file)
        #expect(reload.changed == ["gateways"] && reload.configuration.gateways == file.gateways)
    }

    @Test(arguments: [
        ("{ gateways: [{ name: \"a\" }] }", "needs a uri"),
        ("{ gateways: [{ uri: \"sip:a.example\" }] }", "needs a name"),
        ("{ gateways: [{ name: \"a\", uri: \"http://a.example\" }] }", "expected a URI"),
        ("{ gateways: [{ name: \"a\", uri: \"sip:u@a.example\" }] }", "expected a URI"),
        ("{ gateways: [{ name: \"a\", uri: \"sip:a.example;transport=tls\" }] }", "expected a URI"),
        ("{ gateways: [{ name: \"a\", uri: \"sip:a.example\", inbound: [\"10.0.0.0/99\"] }] }", "networks"),
        ("{ gateways: [{ name: \"a\", uri: \"sip:a.example\", password: \"p\" }] }", "needs a user"),
        ("{ gateways: [{ name: \"a\", uri: \"sip:a.example\", rules: [] }] }", "at least one rule"),
        ("{ gateways: [{ name: \"a\", uri: \"sip:a.example\", rules: [{ prefx: \"1\" }] }] }", "did you mean"),
        (
            "{ gateways: [{ name: \"a\", uri: \"sip:a.example\" }, { name: \"a\", uri: \"sip:b.example\" }] }",
            "already in the list"
        ),
        ("{ gateways: {} }", "expected a list"),
    ])
    func `A mistake is told with what is expected`(text: String, words: String) {
        #expect(problem(text)?.contains(words) == true, "\(problem(text) ?? "nothing")")
    }

    @Test func `A bad password is not shown`() {
        let text = "{ gateways: [{ name: \"a\", uri: \"sip:a.example\", user: \"u\", password: 12345 }] }"
        #expect(problem(text)?.contains("password") == true && problem(text)?.contains("12345") == false)
    }
}
