import Testing

@testable import Configuration

@Suite struct ConfigurationReloadTests {
    private func read(_ text: String) throws -> Configuration { try Configuration.read(Array(text.utf8), file: "test") }

    @Test func `Live keys are taken over, others wait and stay what they are`() throws {
        let running = Configuration()
        let file = try read(
            "{ workers: 7, domain: 'new.example', registrar: { minExpires: '30s' }, log: { level: 'debug' } }")
        let reload = running.reloaded(from: file)
        #expect(reload.changed == ["registrar.minExpires", "log.level"])
        #expect(reload.waiting == ["domain", "workers"])
        #expect(reload.configuration.registrar.minExpires == .seconds(30))
        #expect(reload.configuration.log.level == .debug)
        #expect(reload.configuration.workers == running.workers)
        #expect(reload.configuration.domain == running.domain)
    }

    @Test func `The same file again changes nothing, and tells again what waits`() throws {
        let file = try read("{ workers: 7, calls: { longestCall: '1h' } }")
        let first = Configuration().reloaded(from: file)
        let second = first.configuration.reloaded(from: file)
        #expect(second.changed == [])
        #expect(second.waiting == ["workers"])
        #expect(second.configuration == first.configuration)
    }

    @Test func `A key that is left out goes back to its default`() throws {
        let running = try read("{ registrar: { maxBindings: 3 }, api: { trustedProxies: ['10.0.0.0/8'] } }")
        let reload = running.reloaded(from: Configuration())
        #expect(reload.changed == ["registrar.maxBindings", "api.trustedProxies"])
        #expect(reload.configuration == Configuration())
    }

    @Test func `Listeners wait for the next start`() throws {
        let running = Configuration()
        let reload = running.reloaded(from: try read("{ listeners: [{ transport: 'udp', port: 5070 }] }"))
        #expect(reload.waiting == ["listeners"])
        #expect(reload.configuration.listeners == running.listeners)
    }

    @Test(arguments: KeyTable.configuration.map(\.path))
    func `Each key, changed alone, is either taken over or waits, as it is marked`(path: String) throws {
        let key = try #require(KeyTable.configuration.first { $0.path == path })
        var file = Configuration()
        // Some value of each kind that is nowhere the default.
        let values = [
            "\"scratch.example\"", "[\"192.0.2.9\"]", "[\"192.0.2.9:81\"]", "\"59m\"", "\"2s\"", "7", "77",
            "\"synced\"", "\"refuse\"", "[\"SHA-256\"]", "[]", "\"digest\"", "\"2k\"", "\"error\"", "\"json\"",
            "\"1s\"", "3", "777", "\"off\"", "\"all\"", "false", "true",
            "\"direct\"",
        ]
        let isStored = try values.contains { text in
            var tried = Configuration()
            guard key.store(try JSON5Reader.read(Array(text.utf8)), &tried), tried != Configuration() else {
                return false
            }
            file = tried
            return true
        }
        try #require(isStored, "no value for \(path)")
        let reload = Configuration().reloaded(from: file)
        let isLive = key.effect == .live
        #expect(reload.changed == (isLive ? [path] : []))
        #expect(reload.waiting == (isLive ? [] : [path]))
        #expect(reload.configuration == (isLive ? file : Configuration()))
    }

    @Test(arguments: ["1ms", "999ms"])
    func `A watchdog that would bite at any pause is refused`(time: String) {
        #expect(throws: ConfigurationFailure.self) { try read("{ shutdown: { watchdog: '\(time)' } }") }
    }

    @Test(arguments: ["0s", "1s", "1h"])
    func `A watchdog of a second or more, or none, is accepted`(time: String) throws {
        _ = try read("{ shutdown: { watchdog: '\(time)' } }")
    }
}
