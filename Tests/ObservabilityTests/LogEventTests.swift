import Foundation
import Observability
import Primitives
import Testing

@Suite struct LogEventTests {
    @Test func `Names are dotted lower-case words, each for one event`() {
        let names = LogEvent.allCases.map(\.name.string)
        #expect(Set(names).count == names.count)
        for name in names {
            #expect(name.wholeMatch(of: /[a-z]+\.[a-z]+/) != nil, "\(name)")
            #expect(name.count <= 15, "\(name) breaks the column of the fields")
        }
    }

    @Test func `Descriptions are one sentence`() {
        for event in LogEvent.allCases {
            let text = event.description.string
            #expect(text.hasSuffix(".") && !text.dropLast().contains(". "), "\(event.name.string)")
        }
    }

    @Test func `Only what an operator must act on is an error`() {
        #expect(
            LogEvent.allCases.filter { $0.level == .error } == [
                .serverWedged, .configRefused, .storeError, .recordLost, .apiError,
            ])
    }

    @Test func `What a stranger can cause at will is not written at info`() {
        for event: LogEvent in [.parseBad, .authenticationChallenge, .flowClosed, .registrationRefresh] {
            #expect(event.level == .debug)
        }
    }

    @Test func `Docs/Logs.md lists exactly the catalogue`() throws {
        let expected = LogEvent.allCases.map {
            "| `\($0.name.string)` | \($0.level.name.string) | \($0.description.string) |"
        }
        let rows = try Documentation.lines("Docs/Logs.md").filter { $0.wholeMatch(of: /\| `[a-z]+\.[a-z]+` .*/) != nil }
        #expect(rows == expected)
    }

    @Test func `No source writes a field that could hold a credential`() throws {
        let forbidden = ["password", "secret", "nonce", "cnonce", "response", "authorization", "ha1", "token", "body"]
        let sources = try Documentation.sources()
        #expect(sources.contains { $0.name == "LogBuffer.swift" })
        for (name, text) in sources {
            for match in text.matches(of: /\.field\(\s*"([^"]*)"/) {
                #expect(!forbidden.contains(match.1.lowercased()), "\(name) logs \(match.1)")
            }
        }
    }
}
