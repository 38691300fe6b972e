import Configuration
import Foundation
import Glibc
import Primitives
import RESTInterface
import Store
import Transport

/// `rollcall client ...`: works through the API of the running server, or on the database when none runs.
struct ClientCommands {
    let site: Site

    init(_ site: Site) { self.site = site }

    func add(_ login: String, _ source: Command.PasswordSource, _ values: Command.ClientValues) throws {
        // What is wrong is said before a password is asked for.
        if let fault = ClientRules.fault(ofLogin: login) { throw CommandFailure("Login is invalid: \(fault)") }
        let password = try read(source, for: login)
        let api = try APIConnection(site, mayCreate: true)
        if try find(login) != nil {
            throw CommandFailure(
                "there is a client '\(login)' already; change it with 'rollcall client set \(login)' or choose another login"
            )
        }
        let answer = try api.send(
            .post, "\(api.account.sid)/Clients",
            form: [("Login", login), ("Password", password)] + parameters(of: values))
        let client = try JSONDecoder().decode(ClientView.self, from: answer)
        Terminal.print("client \(login) added (\(client.sid))")
        if source == .generate { Terminal.print("password: \(password)") }
    }

    func list(json: Bool) throws {
        let api = try APIConnection(site)
        var clients: [ClientView] = []
        for account in try site.accountSIDs() {
            clients += try JSONDecoder().decode([ClientView].self, from: try api.send(.get, "\(account)/Clients"))
        }
        if json { return try JSONText.print(clients) }
        if clients.isEmpty { return Terminal.print("no clients; add one with 'rollcall client add LOGIN'") }
        TextTable.print(
            ["LOGIN", "STATUS", "NAME", "SID"],
            clients.map { [$0.login, $0.status == "1" ? "enabled" : "disabled", $0.friendlyName, $0.sid] })
    }

    func show(_ login: String, json: Bool) throws {
        let api = try APIConnection(site)
        let resource = try resource(of: login)
        let answer = try api.send(.get, resource)
        let client = try JSONDecoder().decode(ClientView.self, from: answer)
        if json { return try JSONText.print(client) }
        let state = try JSONDecoder().decode(
            RegistrationState.self, from: try api.send(.get, "\(resource)/RegistrationStatus"))
        Terminal.print("login:         \(client.login)")
        Terminal.print("name:          \(TextTable.plain(client.friendlyName))")
        Terminal.print("status:        \(client.status == "1" ? "enabled" : "disabled")")
        Terminal.print("sid:           \(client.sid)")
        Terminal.print("address:       sip:\(client.login)@\(site.domain)")
        if let sid = client.voiceApplicationSID {
            Terminal.print("application:   \(sid)")
        } else if let url = client.voiceURL {
            Terminal.print("application:   \(url) (\(client.voiceMethod ?? "POST"))")
        }
        Terminal.print("registrations: \(state.registrations)")
        if let failure = state.lastFailure {
            Terminal.print(
                "last failure:  \(failure.date), \(failure.method) from \(failure.transport):\(failure.source)")
            Terminal.print("               \(failure.code): \(failure.message)")
        }
    }

    func set(_ login: String, _ source: Command.PasswordSource?, _ values: Command.ClientValues) throws {
        let api = try APIConnection(site)
        let resource = try resource(of: login)
        var form = parameters(of: values)
        var password: String?
        if let source {
            let new = try read(source, for: login)
            form.append(("Password", new))
            password = new
        }
        try api.send(.post, resource, form: form)
        Terminal.print("client \(login) changed")
        if source == .generate, let password { Terminal.print("password: \(password)") }
    }

    func remove(_ login: String) throws {
        let api = try APIConnection(site)
        try api.send(.delete, try resource(of: login))
        Terminal.print("client \(login) removed")
    }

    /// All clients of a file or none, which the API does not offer: straight into the database, in one transaction. A
    /// running server follows within a second.
    func load(_ file: String) throws {
        let lines = try InputText.lines(of: file)
        var pairs: [(login: String, password: String)] = []
        for (number, line) in lines.enumerated() where !line.isEmpty && !line.hasPrefix("#") {
            let parts = line.split(separator: ",", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            guard parts.count == 2, !parts[1].isEmpty else {
                throw CommandFailure("\(file):\(number + 1): expected 'login,password'")
            }
            if let fault = ClientRules.fault(ofLogin: parts[0]) {
                throw CommandFailure("\(file):\(number + 1): Login is invalid: \(fault)")
            }
            if let fault = fault(ofPassword: parts[1]) { throw CommandFailure("\(file):\(number + 1): \(fault)") }
            pairs.append((parts[0], parts[1]))
        }
        let store = try site.openStore()
        let account = try site.account(in: store).account
        let clients = pairs.map { newClient($0.login, $0.password, account) }
        if let taken = try insert(clients, into: store) {
            throw CommandFailure("\(file): the login '\(taken)' exists already; nothing was imported")
        }
        Terminal.print("\(pairs.count) clients added")
    }

    /// Stores all clients or none; gives the login that exists already, if one does.
    private func insert(_ clients: [ClientRow], into store: Store) throws(StoreError) -> String? {
        var current = ""
        func insertAll() throws(StoreError) {
            for client in clients {
                current = client.login
                _ = try store.createClient(client)
            }
        }
        do throws(StoreError) {
            try store.transaction(insertAll)
            return nil
        } catch {
            if case .constraint(_, .unique, _) = error { return current }
            throw error
        }
    }

    private func newClient(_ login: String, _ password: String, _ account: AccountRow) -> ClientRow {
        var client = ClientRow(
            accountID: account.id, login: login, friendlyName: login, password: nil, ha1MD5: [], ha1SHA256: [],
            ha1SHA512_256: [], realm: site.domain, date: System.now().unix)
        client.setPassword(
            password, realm: site.domain, isKept: site.configuration.authentication.passwords == .recoverable)
        return client
    }

    private func parameters(of values: Command.ClientValues) -> [(name: String, value: String)] {
        var parameters: [(name: String, value: String)] = []
        if let name = values.friendlyName { parameters.append(("FriendlyName", name)) }
        if let url = values.voiceURL { parameters.append(("VoiceUrl", url)) }
        if let sid = values.applicationSID { parameters.append(("VoiceApplicationSid", sid)) }
        if let isEnabled = values.isEnabled { parameters.append(("Status", isEnabled ? "1" : "0")) }
        return parameters
    }

    private func read(_ source: Command.PasswordSource, for login: String) throws -> String {
        let password: String
        switch source {
        case .given(let given): password = given
        case .generate: return Secrets.password()
        case .ask: password = try InputText.password(prompt: "Password for \(login): ")
        }
        if let fault = fault(ofPassword: password) { throw CommandFailure(fault) }
        return password
    }

    private func fault(ofPassword password: String) -> String? {
        let least = max(1, site.configuration.authentication.minPasswordLength)
        return password.count < least ? "the password is too short: at least \(least) characters are needed" : nil
    }

    private func find(_ login: String) throws -> ClientRow? { try site.openExisting().client(login: login) }

    /// The address of a client, of whatever account.
    func resource(of login: String) throws -> String {
        guard let client = try find(login), let account = try site.openExisting().account(id: client.accountID) else {
            throw CommandFailure("there is no client '\(login)'; 'rollcall client list' shows them all")
        }
        return "\(account.sid)/Clients/\(client.sid)"
    }
}
