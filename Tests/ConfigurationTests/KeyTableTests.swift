import Foundation
import Testing

@testable import Configuration

@Suite struct KeyTableTests {
    private static func rows() -> [String] {
        let defaults = Configuration()
        let listener = Configuration.Listener()
        let general = KeyTable.configuration.map {
            row($0.path, $0.meaning, $0.text(defaults), $0.expected, $0.effect)
        }
        let listeners = KeyTable.listener.map {
            row("listeners[].\($0.path)", $0.meaning, $0.text(listener), $0.expected, $0.effect)
        }
        let gateway = Configuration.Gateway()
        let gateways = KeyTable.gateway.map {
            row("gateways[].\($0.path)", $0.meaning, $0.text(gateway), $0.expected, $0.effect)
        }
        let rule = Configuration.Gateway.Rule()
        let rules = KeyTable.gatewayRule.map {
            row("gateways[].rules[].\($0.path)", $0.meaning, $0.text(rule), $0.expected, $0.effect)
        }
        return general + listeners + gateways + rules
    }

    private static func row(
        _ path: String, _ meaning: String, _ value: String, _ expected: String, _ effect: KeyEffect?
    ) -> String {
        "| `\(path)` | \(meaning) | `\(value)` | \(expected) | \(effect?.rawValue ?? "not marked") |"
    }

    @Test func `Docs/Configuration.md lists exactly the keys, their meaning, default, range and effect`() throws {
        let text = try Documentation.text("Docs/Configuration.md")
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        if ProcessInfo.processInfo.environment["ROLLCALL_UPDATE_DOCS"] == "1" {
            try Self.write(lines)
        } else {
            #expect(lines.filter { $0.hasPrefix("| `") } == Self.rows(), "ROLLCALL_UPDATE_DOCS=1 writes the rows anew")
        }
    }

    /// Writes the rows anew: those of the whole file in place of the first table, those of a listener of the second.
    private static func write(_ lines: [String]) throws {
        var rest = rows()
        var written: [String] = []
        for line in lines {
            if line.hasPrefix("| `") { continue }
            written.append(line)
            guard line.hasPrefix("|---"), written.dropLast().last?.hasPrefix("| Key ") == true else { continue }
            // The first table has the keys outside of lists, the others have a list each.
            let list = ["listeners[]", "gateways[]"].first { name in rest.first?.hasPrefix("| `\(name)") == true }
            let table = rest.filter { row in
                list.map { row.hasPrefix("| `\($0)") } ?? !row.prefix(20).contains("[]")
            }
            written += table
            rest.removeAll { table.contains($0) }
        }
        let file = Documentation.root.appending(path: "Docs/Configuration.md")
        try written.joined(separator: "\n").write(to: file, atomically: true, encoding: .utf8)
    }

    @Test func `Every key says whether it takes effect with SIGHUP or with the next start`() {
        for key in KeyTable.configuration { #expect(key.effect != nil, "\(key.path): .live or .restart?") }
        #expect(KeyTable.listener.allSatisfy { $0.effect == .restart })
    }

    @Test func `Docs/Configuration.md explains the list of listeners`() throws {
        #expect(try Documentation.text("Docs/Configuration.md").contains(KeyTable.listenersMeaning))
        #expect(try Documentation.text("Docs/Configuration.md").contains(KeyTable.gatewaysMeaning))
    }

    @Test func `Config/rollcall.json5 holds the defaults`() throws {
        let text = try Documentation.text("Config/rollcall.json5")
        #expect(try Configuration.read(Array(text.utf8), file: "rollcall.json5") == Configuration())
    }

    @Test func `Config/rollcall.json5 shows every key, in the order of the table`() throws {
        let text = try Documentation.text("Config/rollcall.json5")
        guard case .object(let members) = try JSON5Reader.read(Array(text.utf8)).value else {
            Issue.record("not an object")
            return
        }
        var paths: [String] = []
        for member in members {
            if case .object(let inner) = member.node.value {
                paths += inner.map { "\(member.key).\($0.key)" }
            } else if member.key == KeyTable.listeners, case .array(let listeners) = member.node.value {
                for case .object(let keys) in listeners.map(\.value) {
                    #expect(keys.map(\.key) == KeyTable.listener.map(\.path))
                }
            } else {
                if member.key != KeyTable.gateways { paths.append(member.key) }
            }
        }
        #expect(paths == KeyTable.configuration.map(\.path))
    }

    @Test func `Every default is within its own range`() {
        for key in KeyTable.configuration {
            var configuration = Configuration()
            let value = key.text(configuration)
            let node = try? JSON5Reader.read(Array(value.utf8))
            #expect(node.map { key.store($0, &configuration) } == true, "\(key.path)")
            #expect(configuration == Configuration(), "\(key.path)")
        }
    }

    @Test func `Paths and meanings are unique, and meanings are a sentence`() {
        let all = KeyTable.configuration.map { ($0.path, $0.meaning) }
        #expect(Set(all.map(\.0)).count == all.count)
        #expect(Set(all.map(\.1)).count == all.count)
        #expect(all.allSatisfy { $0.1.hasSuffix(".") && !$0.1.contains("|") })
    }
}
