import HTTPMessage
import Observability
import Store
import Testing

@testable import RESTInterface

/// Provokes each problem of each operation.
@Suite struct OperationTests {
    let api: API
    private static let ban = "BN" + String(repeating: "1", count: 32)
    private let child: AccountRow
    private let client: ClientRow
    private let foreign: ClientRow
    private let application: ApplicationRow
    private let number: NumberRow
    private let call: CallRow
    private let message: MessageRow
    private let notification: NotificationRow

    init() throws {
        api = try API { $0.minPasswordLength = 4 }
        child = try api.account("Child", below: api.top)
        client = try api.client("alice")
        foreign = try api.client("carol", of: child)
        application = try api.application("App")
        number = try api.number("12345")
        call = try api.call("alice", "carol")
        message = try api.message("alice", "carol")
        notification = try api.notification(of: call.number)
        try api.notification(of: message.number)
        let ban = BanRow(
            sid: OperationTests.ban, kind: "source", source: "203.0.113.7", login: "x", failures: 20,
            since: api.clock.now, until: api.clock.now, refusal: Phones.refusal)
        api.phones.content.withLock { $0.bans = [ban] }
    }

    /// The path of an operation with what there is, or with sids of nothing.
    private func path(_ operation: Operation, exists: Bool = true) -> String {
        let nothing = String(repeating: "0", count: 32)
        let values = [
            "AccountSid": operation.name.hasSuffix("Account") ? child.sid : api.top.sid,
            "ClientSid": exists ? client.sid : "CL" + nothing,
            "ApplicationSid": exists ? application.sid : "AP" + nothing,
            "BanSid": exists ? OperationTests.ban : "BN" + nothing,
            "PhoneNumberSid": exists ? number.sid : "PN" + nothing,
            "CallSid": exists ? call.number.sid(prefix: "CA") : "CA" + nothing,
            "MessageSid": exists ? message.number.sid(prefix: "SM") : "SM" + nothing,
            "NotificationSid": exists ? notification.number.sid(prefix: "NO") : "NO" + nothing,
        ]
        var path = operation.path.text
        for (name, value) in values { path = path.replacing("{\(name)}", with: value) }
        return path.replacing(/{([A-Z])[a-z]*([A-Z])[A-Za-z]*}/) { "\($0.1)\($0.2)\(nothing)" }
    }

    private typealias Form = KeyValuePairs<String, String>

    private static let good: [String: Form] = [
        "createClient": ["Login": "dave", "Password": "test"], "createApplication": ["FriendlyName": "New"],
        "createNumber": ["PhoneNumber": "777"], "sendMessage": ["From": "alice", "To": "carol", "Body": "x"],
        "sendMessagePlain": ["From": "alice", "To": "carol", "Body": "x"],
        "startCall": ["From": "alice", "To": "carol", "Url": "http://a/v"], "orderCall": ["Status": "completed"],
    ]

    private func ask(_ operation: Operation, _ form: Form? = nil, path: String? = nil, as caller: AccountRow? = nil)
        -> Answer
    {
        let form = form ?? OperationTests.good[operation.name] ?? [:]
        let target = path ?? self.path(operation)
        return operation.takesForm
            ? api.send(operation.method.name, target, form, as: caller)
            : api.send(operation.method.name, target + "?" + API.encoded(form), as: caller)
    }

    /// What brings a problem about.
    private func provoke(_ problem: Problem, _ operation: Operation) throws -> Answer? {
        switch problem {
        case .notFound:
            return operation.path.names == ["AccountSid"]
                ? ask(operation, path: "/Accounts/AC0") : ask(operation, path: path(operation, exists: false))
        case .parameterMissing: return ask(operation, [:])
        case .parameterInvalid where operation.name == "orderCall": return ask(operation, ["Status": "ended"])
        case .parameterInvalid:
            let parameter = try #require(operation.parameters.first { !$0.isRequired } ?? operation.parameters.last)
            var form = OperationTests.good[operation.name].map { $0.filter { $0.key != parameter.name } } ?? []
            form.append((parameter.name, "\u{0}"))
            let body = form.map { "\($0.0)=\(API.escaped($0.1))" }.joined(separator: "&")
            return api.exchange(
                operation.method.name, "/2012-04-24\(path(operation)).json" + (operation.takesForm ? "" : "?" + body),
                operation.takesForm ? body : "", ["Authorization: " + API.basic(api.top.sid, api.top.authToken)])
        case .passwordWeak:
            return ask(
                operation,
                operation.name == "createClient" ? ["Login": "dave", "Password": "abc"] : ["Password": "abc"])
        case .loginTaken where operation.name == "createNumber":
            return ask(operation, ["PhoneNumber": "alice", "isSIP": "true"])
        case .loginTaken: return ask(operation, ["Login": "alice", "Password": "another"])
        case .loginTakenElsewhere: return ask(operation, ["Login": "carol", "Password": "test"])
        case .bodyNotForm:
            return api.exchange(
                operation.method.name, "/2012-04-24\(path(operation)).json", "{}",
                ["Authorization: " + API.basic(api.top.sid, api.top.authToken)], type: "application/json")
        case .emailTaken: return ask(operation, ["EmailAddress": "top@example.com"])
        case .accountsTooDeep:
            return ask(operation, as: try api.account("Grandchild", below: child))
        case .accountClosed:
            try api.setStatus(.closed, of: child)
            return ask(operation, path: path(operation).replacing(api.top.sid, with: child.sid))
        case .mainAccountOnly: return ask(operation, path: path(operation).replacing(api.top.sid, with: child.sid))
        case .ownStatus: return ask(operation, ["Status": "closed"], path: "/Accounts/\(api.top.sid)")
        case .applicationInUse:
            _ = api.send("PUT", "Clients/\(client.sid)", ["VoiceApplicationSid": application.sid])
            return ask(operation)
        case .numberTaken: return ask(operation, ["PhoneNumber": "12345", "Login": "12345", "Password": "secret-1"])
        case .pageInvalid: return ask(operation, ["Page": "7"])
        case .textsRefused:
            api.phones.content.withLock {
                $0.refusal = SIPRefusal(
                    code: "R-1508", number: 1508, status: 503, message: "The end.", retryAfter: 10)
            }
            return ask(operation)
        case .recipientUnreachable:
            api.phones.content.withLock { $0.refusal = Phones.refusal }
            return ask(operation)
        case .callOver:
            let ended = try api.call("alice", "carol") { $0.endedAt = $0.startedAt }
            return ask(operation, path: path(operation).replacing(/CA[0-9a-f]+/, with: ended.number.sid(prefix: "CA")))
        case .callAnswered:
            api.phones.content.withLock { $0.orderResult = .alreadyAnswered }
            return ask(operation, ["Status": "canceled"])
        case .callElsewhere:
            api.phones.content.withLock { $0.orderResult = .unknown }
            return ask(operation)
        // What every operation can end with.
        case .notAuthenticated:
            return api.exchange(operation.method.name, "/2012-04-24\(path(operation)).json")
        case .accountInactive:
            let inactive = try api.account("Inactive", below: api.top)
            try api.setStatus(.suspended, of: inactive)
            return ask(operation, as: inactive)
        case .accountOutOfReach:
            return operation.path.names.isEmpty
                ? nil : ask(operation, path: path(operation).replacing(/AC[0-9a-f]+/, with: api.top.sid), as: child)
        case .storeUnavailable:
            if operation.method == .get || ["RegistrationSid", "BanSid"].contains(operation.path.names.last) {
                return nil
            }
            api.transactions.error.withLock { $0 = .full(path: "p") }
            return ask(operation)
        case .changeNotInEffect:
            // What is not in the database is in effect at once.
            let isLive = ["RegistrationSid", "BanSid"].contains(operation.path.names.last)
            if operation.method == .get || isLive { return nil }
            api.transactions.error.withLock { $0 = .notInEffect(path: "p", cause: "c") }
            return ask(operation)
        default: return nil
        }
    }

    @Test(arguments: Operation.all.indices)
    func `Each problem that an operation declares can happen, with its code and status`(index: Int) throws {
        let operation = Operation.all[index]
        for problem in operation.problems {
            // Each in a world of its own: some change what there is.
            let world = try OperationTests()
            let answer = try #require(try world.provoke(problem, operation), "\(operation.name) \(problem)")
            #expect(answer.code == problem.code && answer.status == problem.status, "\(operation.name) \(problem)")
        }
    }

    @Test(arguments: Operation.all.indices)
    func `Each operation can end with what every operation can`(index: Int) throws {
        let operation = Operation.all[index]
        for problem in [
            Problem.notAuthenticated, .accountInactive, .accountOutOfReach, .storeUnavailable, .changeNotInEffect,
        ] {
            guard let answer = try OperationTests().provoke(problem, operation) else { continue }
            #expect(answer.code == problem.code && answer.status == problem.status, "\(operation.name) \(problem)")
        }
        if operation.takesForm {
            #expect(try provoke(.bodyNotForm, operation)?.code == "R-3203")
        }
    }

    @Test(arguments: Operation.all.indices)
    func `Each operation succeeds with its status and the content that it declares, in both formats`(index: Int) throws
    {
        let operation = Operation.all[index]
        let binding = api.binding(client)
        try api.bind([binding])
        var path = path(operation)
        path = path.replacing("RS" + String(repeating: "0", count: 32), with: RegistrationSID.make(binding))
        let answer = ask(operation, path: path)
        #expect(answer.status == operation.success, "\(operation.name) \(answer.text)")
        #expect((answer.headers["Content-Type"] == nil) == answer.bytes.isEmpty)
        let isRepeatable = operation.method != .delete && operation.name != "createNumber"
        let xml = isRepeatable ? ask(operation, path: path + ".xml").xml : nil
        let name = xml?.children?.first { $0.kind == .element }?.name
        switch operation.content {
        case .empty: #expect(answer.bytes.isEmpty)
        case .resource(let schema):
            #expect(schema.members.filter(\.isAlwaysThere).allSatisfy { answer.object[$0.name] != nil })
            if isRepeatable { #expect(name == schema.name) }
        case .array(let schema):
            #expect(!answer.list.isEmpty || operation.name == "listAccounts")
            #expect(answer.list.allSatisfy { $0["uri"] != nil })
            #expect(name == schema.name + "s")
        case .page(let schema, let member):
            #expect((answer.object[member] as? [[String: Any]])?.isEmpty == false)
            #expect(name == schema.name + "s")
        }
    }

    @Test func `Names are unique, and each is a sentence of what it does`() {
        #expect(Set(Operation.all.map(\.name)).count == Operation.all.count)
        #expect(Set(Operation.all.map { "\($0.method.name) \($0.path.text)" }).count == Operation.all.count)
        for operation in Operation.all {
            #expect(operation.summary.hasSuffix("."))
            #expect(Set(operation.parameters.map(\.name)).count == operation.parameters.count)
            #expect(Set(operation.problems).count == operation.problems.count)
            #expect(operation.parameters.allSatisfy { $0.meaning.hasSuffix(".") })
        }
    }
}
