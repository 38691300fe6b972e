import Foundation
import Observability
import Primitives
import Testing

@Suite struct ReasonTests {
    @Test(arguments: Reason.allCases)
    func `The code is R and the number`(reason: Reason) {
        #expect(reason.code.string == "R-\(reason.rawValue)")
    }

    @Test(arguments: Reason.allCases)
    func `Cause and remedy are sentences that need no escaping in a log line or a Warning header`(reason: Reason) {
        for sentence in [reason.cause.string, reason.remedy.string] {
            #expect(sentence.hasSuffix("."))
            #expect(sentence.first?.isLowercase == false || sentence.hasPrefix("sip"))
            #expect(sentence.utf8.allSatisfy { (0x20..<0x7f).contains($0) && $0 != 0x22 && $0 != 0x5c })
        }
        #expect(reason.cause.count <= 100, "a cause goes into a Warning header and must stay short")
    }

    @Test(arguments: Reason.allCases)
    func `The status is one of RFC 3261 section 21 that a refusal can have`(reason: Reason) {
        #expect((400..<700).contains(reason.status))
    }

    @Test func `The statuses are those that the RFCs give`() {
        let expected: [(Reason, UInt16)] = [
            (.tooManyFailures, 403), (.fromIsNotLogin, 403), (.toIsNotLogin, 403), (.registerForeignDomain, 404),
            (.intervalTooBrief, 423), (.tooManyBindings, 403), (.badContact, 400), (.starMisused, 400),
            (.storeUnavailable, 503), (.callerNotRegistered, 403), (.calleeUnknown, 404), (.calleeNotRegistered, 480),
            (.foreignDestination, 404), (.routeElsewhere, 403), (.tooManyHops, 483), (.loopDetected, 482),
            (.maxBreadthExceeded, 440), (.unsupportedExtension, 420), (.unsupportedScheme, 416), (.noAnswer, 408),
            (.callCancelled, 487), (.methodNotAllowed, 405), (.messageMalformed, 400),
            (.messageTooLarge, 513), (.dialogUnknown, 481),
        ]
        for (reason, status) in expected { #expect(reason.status == status, "\(reason)") }
    }

    @Test func `Unknown login, wrong password and disabled client look the same on the wire`() {
        let hidden = Reason.allCases.filter { !$0.isDisclosed && $0 != .serverStopping }
        #expect(hidden == [.unknownLogin, .wrongPassword, .clientDisabled])
        #expect(Set(hidden.map(\.status)) == [401])
    }

    @Test func `Docs/Reasons.md lists exactly the table`() throws {
        let expected = Reason.allCases.map {
            "| \($0.code.string) | \($0.status) | \($0.cause.string) | \($0.remedy.string) |"
        }
        // R-3xxx are the problems of the API.
        let rows = try Documentation.lines("Docs/Reasons.md").filter {
            $0.hasPrefix("| R-") && !$0.hasPrefix("| R-3")
        }
        #expect(rows == expected)
    }

    @Test func `Docs/Reasons.md has an anchor for each code of its tables`() throws {
        let lines = try Documentation.lines("Docs/Reasons.md")
        let codes = lines.filter { $0.hasPrefix("| R-") }.map { String($0.dropFirst(2).prefix(6)).lowercased() }
        let text = lines.joined(separator: "\n")
        #expect(text.matches(of: /<a id="(r-[0-9]{4})"><\/a>/).map { String($0.1) } == codes)
    }

    @Test func `Every configuration key that a remedy names is documented`() throws {
        let keys = try Documentation.lines("Docs/Configuration.md").joined(separator: "\n")
        for reason in Reason.allCases {
            for match in reason.remedy.string.matches(of: /[a-z]+\.[a-z]+[A-Z0-9a-z]*/)
            where !["store.error"].contains(match.0) {
                #expect(keys.contains("`\(match.0)`"), "\(reason.code.string) names \(match.0)")
            }
        }
    }
}
