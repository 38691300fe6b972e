import Testing

@testable import Configuration

@Suite struct ConfigurationReaderTests {
    private func read(_ text: String) throws(ConfigurationFailure) -> Configuration {
        try Configuration.read(Array(text.utf8), file: "r.json5")
    }

    /// What `read` complains about, one line a problem; empty when it accepts.
    private func complaint(_ text: String) -> String {
        do {
            _ = try read(text)
            return ""
        } catch {
            return error.description
        }
    }

    @Test func `An empty object is the defaults`() throws {
        #expect(try read("{}") == Configuration())
        #expect(try read("// nothing\n{ registrar: {} }") == Configuration())
    }

    @Test func `Every kind of value reaches its place`() throws {
        let configuration = try read(
            """
            { domain: 'example.com', aliases: ["sip.example.com", "10.0.0.1"], durability: "synced", workers: 4,
              registrar: { minExpires: "30s", defaultExpires: "10m", maxExpires: "2h", maxBindings: 3, whenFull: "refuse" },
              authentication: { algorithms: ["SHA-512-256", "MD5"], qop: [], passwords: "digest" },
              timers: { t1: "100ms" }, limits: { messageSize: "8k" }, log: { level: "debug", format: "json" } }
            """)
        #expect(configuration.domain == "example.com")
        #expect(configuration.aliases == ["sip.example.com", "10.0.0.1"])
        #expect(configuration.durability == .synced)
        #expect(configuration.workers == 4)
        #expect(configuration.registrar.minExpires == .seconds(30))
        #expect(configuration.registrar.defaultExpires == .seconds(600))
        #expect(configuration.registrar.maxExpires == .seconds(7200))
        #expect(configuration.registrar.maxBindings == 3)
        #expect(configuration.registrar.whenFull == .refuse)
        #expect(configuration.authentication.algorithms == [.sha512256, .md5])
        #expect(configuration.authentication.qop == [])
        #expect(configuration.authentication.passwords == .digest)
        #expect(configuration.timers.t1 == .milliseconds(100))
        #expect(configuration.limits.messageSize == 8192)
        #expect(
            configuration.log
                == {
                    var log = Configuration.Log(); log.level = .debug; log.format = .json; return log
                }())
    }

    @Test func `A listener takes what it leaves out from the defaults of a listener`() throws {
        let configuration = try read(
            "{ listeners: [{}, { transport: 'tcp', port: 5070 }, { address: '::1', advertised: 'sip.example.com:5062' }] }"
        )
        #expect(configuration.listeners.count == 3)
        #expect(configuration.listeners[0] == Configuration.Listener(.udp, address: "0.0.0.0"))
        #expect(configuration.listeners[1] == Configuration.Listener(.tcp, address: "0.0.0.0", port: 5070))
        #expect(configuration.listeners[2].advertisedHost == "sip.example.com")
        #expect(configuration.listeners[2].advertisedPort == 5062)
    }

    @Test(
        arguments: [
            (
                "{\n  registrar: { minExpres: \"1m\" }}",
                "r.json5:2:16: registrar.minExpres: unknown key; did you mean \"minExpires\"?"
            ),
            ("{ domian: \"x\" }", "r.json5:1:3: domian: unknown key; did you mean \"domain\"?"),
            ("{ maxBindings: 3 }", "r.json5:1:3: maxBindings: unknown key; \"maxBindings\" belongs to \"registrar\""),
            ("{ log: { domain: \"\" } }", "r.json5:1:10: log.domain: unknown key; \"domain\" belongs to the top level"),
            ("{ log: { zzzzzz: 1 } }", "r.json5:1:10: log.zzzzzz: unknown key; known here: level, format"),
            ("{ listeners: [{ prot: 1 }] }", "r.json5:1:17: listeners[0].prot: unknown key; did you mean \"port\"?"),
            ("{ registrar: 3 }", "r.json5:1:14: registrar: expected an object {...}, found the number 3"),
            ("[]", "r.json5:1:1: expected an object {...}, found a list [...]"),
            ("{ workers: \"4\" }", "r.json5:1:12: workers: expected a number from 0 to 64, found the text \"4\""),
            ("{ workers: 65 }", "r.json5:1:12: workers: expected a number from 0 to 64, found the number 65"),
            ("{ workers: 1.5 }", "r.json5:1:12: workers: expected a number from 0 to 64, found the number 1.5"),
            ("{ workers: NaN }", "r.json5:1:12: workers: expected a number from 0 to 64, found the number nan"),
            ("{ workers: 1e300 }", "r.json5:1:12: workers: expected a number from 0 to 64, found the number 1e+300"),
            (
                "{ timers: { t1: 500 } }",
                "r.json5:1:17: timers.t1: expected a duration from 10ms to 10s, found the number 500"
            ),
            (
                "{ timers: { t1: \"5\" } }",
                "r.json5:1:17: timers.t1: expected a duration from 10ms to 10s, found the text \"5\""
            ),
            (
                "{ timers: { t1: \"1h\" } }",
                "r.json5:1:17: timers.t1: expected a duration from 10ms to 10s, found the text \"1h\""
            ),
            (
                "{ limits: { messageSize: \"1m\" } }",
                "r.json5:1:26: limits.messageSize: expected a size from 1k to 64k, found the text \"1m\""
            ),
            (
                "{ durability: \"fast\" }",
                "r.json5:1:15: durability: expected \"commit\", \"synced\" or \"memory\", found the text \"fast\""
            ),
            (
                "{ durability: null }",
                "r.json5:1:15: durability: expected \"commit\", \"synced\" or \"memory\", found null"
            ),
            (
                "{ authentication: { algorithms: [] } }",
                "r.json5:1:33: authentication.algorithms: expected a list of \"MD5\", \"SHA-256\" or \"SHA-512-256\", found an empty list"
            ),
            (
                "{ authentication: { qop: [\"auth\", \"auth\"] } }",
                "r.json5:1:26: authentication.qop: expected a list of \"auth\" or \"auth-int\", or [], found a list of the text \"auth\", the text \"auth\""
            ),
            (
                "{ domain: \"two words\" }",
                "r.json5:1:11: domain: expected a host name or address, or \"\", found the text \"two words\""
            ),
            (
                "{ listeners: [] }",
                "r.json5:1:14: listeners: expected a list [...] of at least one listener {transport, address, port, advertised, optional}, found an empty list"
            ),
            ("{ listeners: [{}, 5] }", "r.json5:1:19: listeners[1]: expected an object {...}, found the number 5"),
            (
                "{ listeners: [{ address: \"localhost\" }] }",
                "r.json5:1:26: listeners[0].address: expected an IPv4 or IPv6 address, found the text \"localhost\""
            ),
            (
                "{ listeners: [{ port: 0 }] }",
                "r.json5:1:23: listeners[0].port: expected a number from 1 to 65535, found the number 0"
            ),
            (
                "{ listeners: [{}, {}] }",
                "r.json5:1:19: listeners[1]: a listener for udp 0.0.0.0 port 5060 is already in the list"
            ),
            (
                "{ listeners: [{ optional: 1 }] }",
                "r.json5:1:27: listeners[0].optional: expected true or false, found the number 1"
            ),
            (
                "{ registrar: { minExpires: \"2h\" } }",
                "r.json5:1:16: registrar.minExpires: expected not more than registrar.maxExpires (1h)"
            ),
            (
                "{ registrar: { defaultExpires: \"30s\" } }",
                "r.json5:1:16: registrar.defaultExpires: expected at least registrar.minExpires (1m)"
            ),
            (
                "{ nat: { flowTimer: \"10m\" } }",
                "r.json5:1:10: nat.flowTimer: expected less than limits.idleConnection (10m)"
            ),
            (
                "{ registrar: { defaultExpires: \"2h\" } }",
                "r.json5:1:16: registrar.defaultExpires: expected not more than registrar.maxExpires (1h)"
            ),
            ("{ timers: { t1: \"5s\" } }", "r.json5:1:13: timers.t1: expected not more than timers.t2 (4s)"),
            ("{ domain: \"a\" workers: 1 }", "r.json5:1:15: expected ',' or '}' (of line 1), found 'w'"),
        ])
    func `What is wrong is told with file, place, key path, what was expected and what was meant`(
        text: String, expected: String
    ) {
        #expect(complaint(text) == expected)
    }

    @Test func `All problems are told at once, in the order of the file`() {
        #expect(
            complaint("{ workers: -1,\n domian: 1,\n log: { level: 'loud', format: 'json' } }") == """
                r.json5:1:12: workers: expected a number from 0 to 64, found the number -1
                r.json5:2:2: domian: unknown key; did you mean "domain"?
                r.json5:3:16: log.level: expected "error", "warn", "info" or "debug", found the text "loud"
                """)
    }

    @Test func `A default expiry that nobody wrote follows the written bounds`() throws {
        #expect(try read("{ limits: { idleConnection: '1m' } }").nat.flowTimer == .seconds(30))
        #expect(try read("{ registrar: { maxExpires: '10m' } }").registrar.defaultExpires == .seconds(600))
        #expect(
            try read("{ registrar: { minExpires: '2h', maxExpires: '3h' } }").registrar.defaultExpires == .seconds(7200)
        )
    }

    @Test func `A message of 64k is one of 65535 bytes`() throws {
        #expect(try read("{ limits: { messageSize: '64k' } }").limits.messageSize == 65535)
        #expect(try read("{ limits: { messageSize: 2000 } }").limits.messageSize == 2000)
    }
}
