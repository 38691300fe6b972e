import Foundation
import Primitives
import SIPMessage
import Testing

/// The messages of RFC 4475, read from where they are kept; without them the suite is skipped.
enum Torture {
    /// The directory of the messages: `ROLLCALL_TORTURE`, else `../shared/torture/rfc4475` beside the repository.
    static let directory: URL = {
        if let path = ProcessInfo.processInfo.environment["ROLLCALL_TORTURE"] { return URL(filePath: path) }
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        return root.deletingLastPathComponent().appending(path: "shared/torture/rfc4475")
    }()

    static var isPresent: Bool { FileManager.default.fileExists(atPath: directory.appending(path: "wsinv.dat").path) }

    static func bytes(of name: String) throws -> [UInt8] {
        [UInt8](try Data(contentsOf: directory.appending(path: name + ".dat")))
    }
}

/// What a proxy and registrar does with a message in the end, whichever layer finds out.
enum TortureOutcome: Sendable, CustomTestStringConvertible {
    /// It is served: challenged, forwarded, registered or answered by its own merit.
    case served
    /// It is refused with this status, whatever its credentials.
    case refused(UInt16)
    /// It is dropped: a faulty response, or one whose transaction we do not have.
    case dropped

    var testDescription: String {
        switch self {
        case .served: "served"
        case .refused(let status): "refused with \(status)"
        case .dropped: "dropped"
        }
    }
}

/// One message of RFC 4475: what the parser says, what the server does, and some facts.
struct TortureMessage: Sendable, CustomTestStringConvertible {
    var name: String
    var section: String
    var title: String
    /// The fault from `SIPMessage.parse`.
    var fault: Fault?
    /// What the whole server must do; where the parser finds no fault, a later layer decides.
    var outcome: TortureOutcome
    var facts: @Sendable (Parsed) throws -> Void

    init(
        _ name: String, _ section: String, _ title: String, _ fault: Fault?, _ outcome: TortureOutcome,
        _ facts: @escaping @Sendable (Parsed) throws -> Void
    ) {
        self.name = name
        self.section = section
        self.title = title
        self.fault = fault
        self.outcome = outcome
        self.facts = facts
    }

    var testDescription: String { "RFC 4475 \(section) \(title) (\(name)): \(outcome.testDescription)" }
}

@Suite(
    "RFC 4475 torture messages",
    .enabled(if: Torture.isPresent, "the messages are not in \(Torture.directory.path); set ROLLCALL_TORTURE"))
struct TortureTests {
    @Test("Each message is parsed, or refused for its own fault", arguments: TortureMessage.all)
    func message(_ entry: TortureMessage) throws {
        let parsed = Parsed(try Torture.bytes(of: entry.name))
        #expect(parsed.fault == entry.fault)
        if let fault = entry.fault, case .refused(let status) = entry.outcome { #expect(fault.status == status) }
        if case .refused = entry.outcome { #expect(parsed.isAnswerable) }
        if case .served = entry.outcome { #expect(parsed.fault == nil && parsed.isRequest) }
        if case .dropped = entry.outcome { #expect(!parsed.isRequest) }
        try entry.facts(parsed)
    }

    @Test("The table names all 49 messages, each once, and none is left over")
    func complete() throws {
        let files = try FileManager.default.contentsOfDirectory(atPath: Torture.directory.path)
            .filter { $0.hasSuffix(".dat") }.map { String($0.dropLast(4)) }
        let names = TortureMessage.all.map(\.name)
        #expect(names.count == 49 && Set(names).count == 49)
        #expect(Set(files) == Set(names))
        #expect(Set(TortureMessage.all.map(\.section)).count == 49)
    }

    @Test("Each prefix of each message is parsed without a trap")
    func prefixes() throws {
        var message = SIPMessage()
        for entry in TortureMessage.all {
            let bytes = try Torture.bytes(of: entry.name)
            bytes.withSlice { slice in
                for length in 0..<slice.count { _ = message.parse(slice.prefix(length)) }
            }
        }
    }
}
