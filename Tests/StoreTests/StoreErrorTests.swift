import CSQLite
import Testing

@testable import Store

@Suite struct StoreErrorTests {
    @Test(
        "Each result code of SQLite becomes the error that says what to do",
        arguments: [
            (14, StoreError.cannotOpen(path: "/f", reason: "m")), (26, .notADatabase(path: "/f")),
            (11 | 2 << 8, .damaged(path: "/f", detail: "m")), (8 | 4 << 8, .readOnly(path: "/f")),
            (13, .full(path: "/f")), (5 | 1 << 8, .busy(path: "/f")),
            (2067, .constraint(path: "/f", rule: .unique, detail: "m")),
            (1555, .constraint(path: "/f", rule: .unique, detail: "m")),
            (787, .constraint(path: "/f", rule: .reference, detail: "m")),
            (275, .constraint(path: "/f", rule: .other, detail: "m")),
            (10 | 3 << 8, .other(path: "/f", code: 778, message: "m")),
        ] as [(Int32, StoreError)])
    func codes(code: Int32, expected: StoreError) {
        #expect(StoreError(code: code, message: "m", path: "/f") == expected)
    }

    @Test("Every error is one sentence that names the file")
    func descriptions() {
        let errors: [StoreError] = [
            .cannotOpen(path: "/f/db", reason: "why"), .notADatabase(path: "/f/db"), .foreignDatabase(path: "/f/db"),
            .damaged(path: "/f/db", detail: "why"), .newerSchema(path: "/f/db", found: 2, known: 1),
            .readOnly(path: "/f/db"), .full(path: "/f/db"), .busy(path: "/f/db"),
            .overloaded(path: "/f/db"), .withdrawn(path: "/f/db", cause: "why"),
            .constraint(path: "/f/db", rule: .unique, detail: "why"),
            .constraint(path: "/f/db", rule: .reference, detail: "why"),
            .constraint(path: "/f/db", rule: .other, detail: "why"), .other(path: "/f/db", code: 1, message: "why"),
        ]
        for error in errors {
            #expect(error.description.contains("/f/db"))
            #expect(error.description.hasSuffix("."))
            #expect(error.description.contains(":") || error.description.contains(";"))
            #expect(!error.description.contains("\n"))
        }
    }
}
