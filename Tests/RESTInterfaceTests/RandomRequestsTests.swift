import HTTPMessage
import Primitives
import Testing

@testable import RESTInterface

/// Requests by chance, seeded: a failure comes again.
@Suite struct RandomRequestsTests {
    private struct Dice {
        var generator: SeededGenerator

        init(seed: UInt64) { generator = SeededGenerator(state: seed) }

        mutating func below(_ limit: Int) -> Int { Int(generator.next() % UInt64(limit)) }

        mutating func pick<Value>(_ values: [Value]) -> Value { values[below(values.count)] }

        /// Text of any characters.
        mutating func noise() -> String {
            var text = ""
            for _ in 0..<below(12) {
                switch below(4) {
                case 0: text.unicodeScalars.append(Unicode.Scalar(UInt8(below(256))))
                case 1: text.unicodeScalars.append(Unicode.Scalar(UInt32(below(0x11_0000))) ?? "\u{fffd}")
                default: text.unicodeScalars.append(Unicode.Scalar(UInt8(0x20 + below(0x5f))))
                }
            }
            return text
        }
    }

    private static let words = [
        "", "0", "1", "-1", "true", "false", "active", "closed", "suspended", "GET", "post", "alice", "bob", "+12345",
        "client:alice", "/a", "http://a/", "2024-02-29", "0001-01-01", "9999-12-31", "DateCreated:desc", "Duration",
        "999999999", "1000", "a@b", "completed", "sending", "%41", "x",
    ]

    /// What every operation can end with.
    private static let common: Set<Problem> = [
        .requestMalformed, .notAuthenticated, .accountInactive, .accountOutOfReach, .resourceElsewhere, .notFound,
        .methodNotAllowed, .tooManyFailures, .bodyNotForm,
    ]

    /// The operations that a request may stand for.
    private static func operations(_ request: HTTPRequest) -> [Operation] {
        var path = ResponseFormat.withoutSuffixes(request.path.last == "" ? request.path.dropLast() : request.path)
        while let first = path.first, first != "Accounts" { path.removeFirst() }
        let method = request.method == .head ? HTTPMethod.get : request.method
        return Operation.all.filter { $0.method == method && $0.path.matches(path) }
    }

    @Test(arguments: UInt64(1)...6)
    func `No request traps, and each answer has a status that the table knows`(seed: UInt64) throws {
        let api = try API { $0.minPasswordLength = Int(seed % 3) }
        var dice = Dice(seed: seed)
        let child = try api.account("Child", below: api.top, email: "child@example.com")
        let clients = try api.clients(["alice", "bob"]) + [try api.client("carol", of: child)]
        let bindings = clients.map { api.binding($0) }
        try api.bind(bindings)
        let application = try api.application("App")
        let number = try api.number("+12345")
        let call = try api.call("alice", "bob")
        let message = try api.message("alice", "bob")
        let sids =
            clients.map(\.sid) + bindings.map { RegistrationSID.make($0) } + [
                application.sid, number.sid, call.number.sid(prefix: "CA"), message.number.sid(prefix: "SM"), "CL0",
            ]
        let names = Array(Set(Operation.all.flatMap { $0.parameters.map(\.name) })).sorted()
        let segments =
            Array(Set(Operation.all.flatMap { $0.path.text.split(separator: "/").map(String.init) })).sorted() + sids
            + [api.top.sid, child.sid, "child@example.com", "2012-04-24", "restcomm", "api", "openapi.json"]
        let known = Set(Problem.allCases.map(\.status).filter { $0 < 500 } + [200, 204])
        var seen: Set<Int> = []
        for _ in 0..<1000 {
            var path: [String]
            if dice.below(8) == 0 {
                path = (0..<dice.below(7)).map { _ in dice.below(3) == 0 ? dice.noise() : dice.pick(segments) }
            } else {
                path =
                    ["2012-04-24"]
                    + dice.pick(Operation.all).path.text.split(separator: "/").map { segment in
                        switch segment {
                        case "{AccountSid}":
                            dice.below(8) == 0
                                ? dice.pick([child.sid, "child@example.com", "AC0", dice.noise()]) : api.top.sid
                        case _ where segment.hasPrefix("{"): dice.below(9) == 0 ? dice.noise() : dice.pick(sids)
                        default: String(segment)
                        }
                    }
            }
            if let last = path.last, dice.below(2) == 0 {
                path[path.count - 1] = last + dice.pick([".json", ".xml", ".JSON", "/", ".json.xml"])
            }
            var fields = FormFields()
            for _ in 0..<dice.below(8) {
                fields.fields.append(
                    .init(
                        name: dice.below(10) == 0 ? dice.noise() : dice.pick(names),
                        value: dice.below(4) == 0 ? dice.noise() : dice.pick(RandomRequestsTests.words + sids)))
            }
            // The caller must stay; what it is called and its token may not change.
            fields.fields.removeAll { $0.name == "RenewAuthToken" }
            var headers = HTTPHeaders()
            for _ in 0..<dice.below(3) {
                headers.append(
                    dice.pick(["Accept", "Accept", "X-Noise", "Authorization", "Content-Type"]),
                    dice.pick(["application/json", "application/xml", "*/*", "Basic !", "Digest x", dice.noise()]))
            }
            if dice.below(10) > 0 { headers.append("Authorization", API.basic(api.top.sid, api.top.authToken)) }
            if dice.below(6) > 0 { headers.append("Content-Type", "application/x-www-form-urlencoded") }
            let body = fields.fields.map { "\(API.escaped($0.name))=\(API.escaped($0.value))" }.joined(separator: "&")
            let request = HTTPRequest(
                method: HTTPMethod(
                    dice.pick([
                        "GET", "GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH", "", "get", dice.noise(),
                    ])),
                path: path, rawPath: "/" + path.joined(separator: "/"), query: fields, headers: headers,
                body: dice.below(20) == 0 ? Array(dice.noise().utf8) : Array(body.utf8),
                source: IPAddress(high: UInt64(dice.below(3)), low: UInt64(dice.below(4))))
            let answer = Answer(api.service.respond(to: request))
            #expect(known.contains(answer.status), "\(request)")
            seen.insert(answer.status)
            if answer.headers["Content-Type"] == "application/json" {
                #expect(answer.json != nil, "\(request) \(answer.text)")
            } else if answer.status != 204, !answer.bytes.isEmpty {
                #expect(answer.xml != nil, "\(request) \(answer.text)")
            }
            if answer.status >= 400 {
                let problem = Problem.allCases.first { $0.code == answer.code }
                #expect(problem?.status == answer.status, "\(request)")
            }
            if let problem = api.log.reports.last?.failure?.problem, !RandomRequestsTests.common.contains(problem) {
                let places = RandomRequestsTests.operations(request)
                #expect(places.contains { $0.problems.contains(problem) }, "\(problem) \(request)")
            }
            if dice.below(50) == 0 { api.clock.wait(seconds: Int64(dice.below(100))) }
        }
        #expect(seen.isSuperset(of: [200, 204, 400, 401, 403, 404, 405, 415]), "\(seen.sorted())")
        #expect(api.log.reports.count == 1000)
    }
}
