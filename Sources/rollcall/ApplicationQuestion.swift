import CallControl
import Configuration
import Primitives
import SIPProxy
import Store
import Transport

/// What an application is asked first about a call or a text: made by the programs that make it for real ones.
struct ApplicationQuestion {
    /// What answers.
    let application: Application
    /// What the application is told.
    let facts: CallFacts
    /// True for a text.
    let isText: Bool

    /// The request, nil when the application has no URL for it.
    func request(_ settings: CallProgram.Settings) -> WebhookRequest? {
        let actions: [CallAction]
        if isText {
            var program = TextProgram(application: application, facts: facts, settings: settings)
            actions = program.handle(.began, at: facts.startedAt) { facts.number }
        } else {
            if application.voice == nil { return nil }
            var program = CallProgram(application: application, facts: facts, settings: settings)
            actions = program.handle(.began, at: facts.startedAt) { facts.number }
        }
        for case .fetch(let request) in actions { return request }
        return nil
    }

    /// The facts of a call or text that is not made: its sid names no record.
    static func facts(
        _ account: AccountRow, clientID: Int64 = 0, from: String, to: String, text: String? = nil
    ) -> CallFacts {
        let now = System.now().unix
        var facts = CallFacts(
            number: RecordNumber(at: now, counter: 0), accountID: account.id, accountSID: account.sid,
            authToken: account.authToken, from: from, to: to, startedAt: now)
        facts.clientID = clientID
        facts.body = text ?? ""
        return facts
    }
}

extension CallProgram.Settings {
    /// Those of a configuration.
    init(_ configuration: Configuration) {
        self.init()
        deadline = UInt64(clamping: configuration.applications.deadline.components.seconds) &* 1000
        documents = configuration.applications.documents
    }
}

extension WebhookRequest {
    /// The request on a terminal: method and URL, and each parameter on a line of its own.
    var lines: [String] {
        ["\(address.method.rawValue) \(TextTable.plain(address.url))"]
            + parameters.map { "  \($0.name): \(TextTable.plain($0.value))" }
    }
}
