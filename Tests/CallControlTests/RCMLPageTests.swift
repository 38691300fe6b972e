import CallControl
import Foundation
import Testing

@Suite("Docs/RCML.md")
struct RCMLPageTests {
    private let page: String

    init() throws {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        page = try String(contentsOf: root.appending(path: "Docs/RCML.md"), encoding: .utf8)
    }

    @Test func itsDocumentsAreUnderstood() throws {
        let blocks = page.components(separatedBy: "```xml\n").dropFirst().compactMap {
            $0.components(separatedBy: "```").first
        }
        #expect(!blocks.isEmpty)
        for block in blocks {
            let document = try parse(block)
            #expect(document.remarks.isEmpty)
            #expect(!document.verbs.isEmpty)
        }
    }

    @Test func itNamesTheLimits() {
        let limits = RCMLLimits()
        for words in [
            "\(limits.bytes / 1024) KiB", "\(limits.depth) elements within", "2,000 elements", "\(limits.verbs) verbs",
            "\(limits.parties) parties", "4,096 bytes", "first \(limits.remarks) remarks", "At most \(limits.headers).",
        ] {
            #expect(page.contains(words), "\(words)")
        }
        #expect(limits.elements == 2_000 && limits.value == 4_096 && limits.smsBody == 4_096)
    }

    @Test func itNamesEveryVerbThatIsKnown() throws {
        for name in [
            "Dial", "Redirect", "Reject", "Hangup", "Pause", "Sms", "Message", "Say", "Play", "Gather", "Record",
            "Email",
            "Fax", "Enqueue", "Leave", "Queue", "Language", "UssdMessage", "UssdCollect",
        ] {
            let document = try parse("<Response><\(name)/></Response>")
            #expect(!document.remarks.contains { $0.message.contains("is no verb") })
            #expect(page.contains("`\(name)`"), "\(name)")
        }
    }
}
