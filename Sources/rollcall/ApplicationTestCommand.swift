import CallControl
import Configuration
import Primitives
import Store
import Webhooks

/// `rollcall app test SID|URL`: asks an application as a call or text would, and shows what it says.
struct ApplicationTestCommand {
    let site: Site
    let query: ApplicationQuery

    init(_ site: Site, _ query: ApplicationQuery) {
        self.site = site
        self.query = query
    }

    /// What is asked, and in whose name.
    private struct Subject {
        var application: Application
        var accountID: Int64
        var clientID: Int64 = 0
        var from = "test"
        var to = "test"
    }

    /// - Returns: `success` when the application gave a document without a fault, `failure` otherwise.
    func run() throws -> ExitCode {
        let store = try site.openExisting()
        let subject = try subject(in: store)
        guard let account = try store.account(id: subject.accountID) else {
            throw CommandFailure("the account of '\(TextTable.plain(query.subject))' is gone")
        }
        let facts = ApplicationQuestion.facts(
            account, clientID: subject.clientID, from: query.from ?? subject.from, to: query.to ?? subject.to,
            text: query.text)
        let question = ApplicationQuestion(
            application: subject.application, facts: facts, isText: query.text != nil)
        guard let request = question.request(CallProgram.Settings(site.configuration)) else {
            throw CommandFailure(
                "'\(TextTable.plain(query.subject))' has no URL that answers \(query.text == nil ? "calls" : "texts")")
        }
        for line in request.lines { Terminal.print(line) }
        return try show(WebQuestion.ask(request, site))
    }

    private func subject(in store: Store) throws -> Subject {
        let name = query.subject
        if name.lowercased().hasPrefix("http://") || name.lowercased().hasPrefix("https://") {
            var application = Application()
            application.voice = WebAddress(name, query.method == "GET" ? .get : .post)
            application.sms = application.voice
            return Subject(application: application, accountID: try site.account(in: store).account.id)
        }
        let directory = ApplicationDirectory()
        try ApplicationLoader.load(store, into: directory)
        if let row = try store.application(sid: name) {
            // As a client has it that is given this application.
            let login = Array(name.utf8)
            directory.setClient(
                login, ApplicationChoice(accountID: row.accountID, own: Application(), voiceSID: name, smsSID: name))
            guard let found = login.withSlice({ directory.application(ofClient: $0) }) else { throw without(name) }
            return Subject(application: found, accountID: row.accountID)
        }
        if let client = try store.client(login: name) ?? store.client(sid: name) {
            guard let found = client.login.withSlice({ directory.application(ofClient: $0) }) else {
                throw without("client \(client.login)")
            }
            return Subject(
                application: found, accountID: client.accountID, clientID: client.id, from: client.login)
        }
        let dialled = try store.number(sid: name)?.phoneNumber ?? name
        if let (account, found) = dialled.withSlice({ directory.number(dialled: $0) }) {
            return Subject(application: found, accountID: account, to: dialled)
        }
        throw CommandFailure(
            "'\(TextTable.plain(name))' is no application, client or number here, and no http or https URL; "
                + "'rollcall client list' shows the clients, /Applications of the API the applications")
    }

    private func without(_ what: String) -> CommandFailure {
        CommandFailure(
            "\(TextTable.plain(what)) has no application; set one with "
                + "'rollcall client set LOGIN --voice-url URL', or VoiceUrl of the application")
    }

    /// Shows what came, and whether it is good.
    private func show(_ report: WebhookReport) -> ExitCode {
        let status = report.status.map { "status \($0)" } ?? "no answer"
        Terminal.print("\(status) after \(report.milliseconds) ms")
        switch report.answer {
        case .failed(let failure):
            Terminal.print("error \(place(of: failure.notification))\(TextTable.plain(failure.notification.message))")
            return .failure
        case .document(let document, let headers):
            for header in headers { Terminal.print("\(header.name): \(TextTable.plain(header.value))") }
            for verb in document.verbs { if let line = RCMLCommand.describe(verb) { Terminal.print("  \(line)") } }
            let skipped = document.verbs.compactMap { if case .unsupported(let note) = $0 { note } else { nil } }
            let remarks = (document.remarks + skipped).sorted { ($0.line, $0.column) < ($1.line, $1.column) }
            for remark in remarks {
                Terminal.print("warning \(place(of: remark))\(TextTable.plain(remark.message))")
            }
            if document.verbs.count > skipped.count || query.text != nil { return .success }
            Terminal.print("error: the document has nothing that can be run: the call would be refused with 488")
            return .failure
        }
    }

    private func place(of note: CallNotification) -> String {
        note.line > 0 ? "\(note.code), line \(note.line), column \(note.column): " : "\(note.code): "
    }
}
