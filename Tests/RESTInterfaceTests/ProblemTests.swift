import Foundation
import HTTPMessage
import Observability
import Testing

@testable import RESTInterface

@Suite struct ProblemTests {
    @Test(arguments: Problem.allCases)
    func `The code is R and the number, in the thousand of the API`(problem: Problem) {
        #expect(problem.code == "R-\(problem.rawValue)")
        #expect((3001...3999).contains(problem.rawValue))
        #expect((400..<600).contains(problem.status))
    }

    @Test func `No code is used twice, nor one of SIP's`() {
        let codes = Problem.allCases.map(\.code)
        #expect(Set(codes).count == codes.count)
        let reasons = Set(Reason.allCases.map { Int($0.rawValue) })
        #expect(reasons.isDisjoint(with: Problem.allCases.map(\.rawValue)))
    }

    @Test(arguments: Problem.allCases)
    func `Cause and remedy are sentences that fit into a table`(problem: Problem) {
        for sentence in [problem.cause, problem.remedy] {
            #expect(sentence.hasSuffix("."))
            #expect(sentence.first?.isUppercase == true)
            #expect(sentence.utf8.allSatisfy { (0x20..<0x7f).contains($0) && $0 != UInt8(ascii: "|") })
        }
    }

    @Test func `The statuses are those of the contract`() {
        let statuses: [Int: [Problem]] = [
            400: [
                .requestMalformed, .parameterMissing, .parameterInvalid, .passwordWeak, .pageInvalid, .accountClosed,
                .accountsTooDeep,
            ],
            401: [.notAuthenticated],
            403: [.accountInactive, .accountOutOfReach, .resourceElsewhere, .ownStatus, .mainAccountOnly],
            404: [.notFound], 405: [.methodNotAllowed], 408: [.requestTimedOut],
            409: [
                .loginTaken, .loginTakenElsewhere, .applicationInUse, .numberTaken, .emailTaken, .recipientUnreachable,
                .callAnswered, .callElsewhere,
            ], 410: [.callOver], 413: [.bodyTooLarge], 414: [.targetTooLong], 415: [.bodyNotForm],
            417: [.expectationUnknown],
            429: [.tooManyFailures], 431: [.headersTooLarge], 500: [.unexpected], 501: [.notImplemented],
            503: [.overloaded, .storeUnavailable, .searchTooLong, .changeNotInEffect, .textsRefused],
            505: [.versionUnsupported],
        ]
        #expect(statuses.values.map(\.count).reduce(0, +) == Problem.allCases.count)
        for (status, problems) in statuses { for problem in problems { #expect(problem.status == status) } }
    }

    @Test(arguments: [400, 408, 413, 414, 417, 431, 500, 501, 503, 505])
    func `A status of the HTTP server has a problem of that status`(status: Int) {
        #expect(Problem(ofServerStatus: status).status == status)
    }

    @Test(arguments: [402, 411, 426, 499])
    func `Another status of the HTTP server is a malformed request`(status: Int) {
        #expect(Problem(ofServerStatus: status) == .requestMalformed)
    }

    @Test func `Docs/Reasons.md lists exactly the table`() throws {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let page = try String(contentsOf: root.appending(path: "Docs/Reasons.md"), encoding: .utf8)
        let rows = page.components(separatedBy: "\n").filter { $0.hasPrefix("| R-3") }
        #expect(
            rows == Problem.allCases.map { "| \($0.code) | \($0.status) | \($0.cause) | \($0.remedy) |" })
    }
}
