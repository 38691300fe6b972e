import Foundation
import Observability
import Testing

/// What the catalogues declare is written somewhere: nothing in the documents that the program never says.
struct CatalogueUseTests {
    private static let sources: String = {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appending(path: "Sources")
        let catalogues = ["LogEvent.swift", "Reason.swift", "Reason+Table.swift"]
        let files = FileManager.default.enumerator(at: root, includingPropertiesForKeys: nil)?.allObjects ?? []
        return files.compactMap { $0 as? URL }
            .filter { $0.pathExtension == "swift" && !catalogues.contains($0.lastPathComponent) }
            .compactMap { try? String(contentsOf: $0, encoding: .utf8) }
            .joined(separator: "\n")
    }()

    private func isUsed(_ name: String) -> Bool {
        Self.sources.range(of: "\\.\(name)\\b", options: .regularExpression) != nil
    }

    @Test(arguments: LogEvent.allCases)
    func `Every event of the catalogue is written by the program`(event: LogEvent) {
        #expect(isUsed("\(event)"))
    }

    @Test(arguments: Reason.allCases)
    func `Every reason is given by the program`(reason: Reason) {
        #expect(isUsed("\(reason)"))
    }

    @Test func `A name that is nowhere is found out`() {
        #expect(!isUsed("neverWritten"))
    }
}
