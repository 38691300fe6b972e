import Observability
import Primitives
import Testing

@Suite struct LogLevelTests {
    @Test func `Levels are ordered by gravity and known by name`() {
        #expect(LogLevel.error < .warn)
        #expect(LogLevel.warn < .info)
        #expect(LogLevel.info < .debug)
        for level in LogLevel.allCases { #expect(LogLevel(name: level.name) == level) }
        #expect(LogLevel(name: "trace") == nil)
        #expect(LogLevel(name: "") == nil)
    }
}
