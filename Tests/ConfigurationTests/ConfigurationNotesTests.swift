import Testing

@testable import Configuration

@Suite struct ConfigurationNotesTests {
    @Test func `The defaults give no note`() { #expect(Configuration().notes == []) }

    @Test func `What is allowed but deserves a look gives a note with its key`() {
        var configuration = Configuration()
        configuration.durability = .memory
        configuration.proxy.timerC = .seconds(10)
        configuration.proxy.maxForks = 2
        configuration.timers.t1 = .milliseconds(100)
        configuration.authentication.qop = []
        configuration.listeners[0].advertised = "0.0.0.0"
        configuration.listeners[1].advertised = "127.0.0.1:5062"
        configuration.listeners[2].advertised = "::"
        #expect(
            configuration.notes.map(\.keyPath) == [
                "durability", "proxy.timerC", "timers.t1", "authentication.qop", "proxy.maxForks",
                "listeners[0].advertised", "listeners[1].advertised", "listeners[2].advertised",
            ])
    }

    @Test func `A list of denied networks without those of the default gives a note that names them`() {
        var configuration = Configuration()
        configuration.applications.deny = ["10.0.0.0/8"] + configuration.applications.deny.dropLast()
        configuration.applications.deny.removeAll { $0 == "127.0.0.0/8" }
        configuration.applications.allow = ["127.0.0.0/8"]
        #expect(configuration.notes.map(\.keyPath) == ["applications.deny"])
        #expect(configuration.notes.first?.message.contains("lacks fd00:ec2::254:") == true)
    }
}
