import Configuration
import Glibc
import Primitives
import SIPMessage
import Store
import Transport

/// `rollcall client ...`: works on the database; a running server follows within a second.
struct ClientCommands {
    let site: Site

    init(_ site: Site) { self.site = site }

    func add(_ login: String, _ source: Command.PasswordSource, _ values: Command.ClientValues) throws {
        try ClientRules(site).check(login: login)
        let password = try read(source, for: login)
        let store = try site.openStore()
        let account = try site.account(in: store).account
        var client = newClient(login, password, account)
        apply(values, to: &client)
        do {
            client = try store.createClient(client)
        } catch .constraint(_, .unique, _) {
            throw CommandFailure(
                "there is a client '\(login)' already; change it with 'rollcall client set \(login)' or choose another login"
            )
        }
        Terminal.print("client \(login) added (\(client.sid))")
        if source == .generate { Terminal.print("password: \(password)") }
    }

    func list(json: Bool) throws {
        let store = try site.openExisting()
        var clients: [ClientView] = []
        try store.forEachClient { clients.append(ClientView($0)) }
        if json { return try JSONText.print(clients) }
        if clients.isEmpty { return Terminal.print("no clients; add one with 'rollcall client add LOGIN'") }
        TextTable.print(
            ["LOGIN", "STATUS", "NAME", "SID"],
            clients.map { [$0.login, $0.status == 1 ? "enabled" : "disabled", $0.friendlyName, $0.sid] })
    }

    func show(_ login: String, json: Bool) throws {
        let store = try site.openExisting()
        let client = try find(login, in: store)
        let bindings = try store.bindings(ofClient: client.id, liveAt: System.now().unix)
        if json { return try JSONText.print(ClientView(client)) }
        Terminal.print("login:         \(client.login)")
        Terminal.print("name:          \(TextTable.plain(client.friendlyName))")
        Terminal.print("status:        \(client.status == 1 ? "enabled" : "disabled")")
        Terminal.print("sid:           \(client.sid)")
        Terminal.print("address:       sip:\(client.login)@\(site.domain)")
        Terminal.print("registrations: \(bindings.count)")
    }

    func set(_ login: String, _ source: Command.PasswordSource?, _ values: Command.ClientValues) throws {
        let store = try site.openExisting()
        var client = try find(login, in: store)
        var password: String?
        if let source {
            let new = try read(source, for: login)
            client.setPassword(new, site: site)
            password = new
        }
        apply(values, to: &client)
        client.dateUpdated = System.now().unix
        let changed = client
        // Both or nothing: a disabled client has no bindings, also when this process is ended between the two.
        try store.transaction { () throws(StoreError) in
            _ = try store.updateClient(changed)
            if changed.status == 0 { _ = try store.removeBindings(ofClient: changed.id) }
        }
        Terminal.print("client \(login) changed")
        if source == .generate, let password { Terminal.print("password: \(password)") }
    }

    func remove(_ login: String) throws {
        let store = try site.openExisting()
        _ = try store.removeClient(id: try find(login, in: store).id)
        Terminal.print("client \(login) removed")
    }

    func load(_ file: String) throws {
        let lines = try InputText.lines(of: file)
        var pairs: [(login: String, password: String)] = []
        for (number, line) in lines.enumerated() where !line.isEmpty && !line.hasPrefix("#") {
            let parts = line.split(separator: ",", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            guard parts.count == 2, !parts[1].isEmpty else {
                throw CommandFailure("\(file):\(number + 1): expected 'login,password'")
            }
            do {
                try ClientRules(site).check(login: parts[0])
                try ClientRules(site).check(password: parts[1])
            } catch let error as CommandFailure {
                throw CommandFailure("\(file):\(number + 1): \(error.message)")
            }
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
        client.setPassword(password, site: site)
        return client
    }

    private func apply(_ values: Command.ClientValues, to client: inout ClientRow) {
        if let name = values.friendlyName { client.friendlyName = name.isEmpty ? client.login : name }
        if let isEnabled = values.isEnabled { client.status = isEnabled ? 1 : 0 }
    }

    private func read(_ source: Command.PasswordSource, for login: String) throws -> String {
        let password: String
        switch source {
        case .given(let given): password = given
        case .generate: return Secrets.password()
        case .ask: password = try InputText.password(prompt: "Password for \(login): ")
        }
        try ClientRules(site).check(password: password)
        return password
    }

    private func find(_ login: String, in store: Store) throws -> ClientRow {
        guard let client = try store.client(login: login) else {
            throw CommandFailure("there is no client '\(login)'; 'rollcall client list' shows them all")
        }
        return client
    }
}

/// What a login and a password may be.
struct ClientRules {
    let site: Site

    init(_ site: Site) { self.site = site }

    /// RFC 2396 userinfo without `:`, which neither digest nor Basic authentication can carry; 1 to 64 characters.
    func check(login: String) throws {
        if login.isEmpty || login.utf8.count > 64 {
            throw CommandFailure("a login has 1 to 64 characters, this one has \(login.utf8.count)")
        }
        for character in login {
            guard let byte = character.asciiValue,
                ASCII.isUnreserved(byte) || ";&=+$,%".utf8.contains(byte)
            else {
                throw CommandFailure(
                    "a login must not contain '\(character)'; letters, digits and -_.!~*'();&=+$, are allowed, others as %HH"
                )
            }
        }
        if login.withSlice({ !$0.hasValidEscapes }) {
            throw CommandFailure("a % in a login must be followed by two hexadecimal digits")
        }
        // RFC 3261 19.1.4: `%61` and `a` are the same user, who would be two clients with one place.
        var rest = login.utf8[...]
        while let percent = rest.firstIndex(of: UInt8(ascii: "%")) {
            let digits = String(decoding: rest[percent...].dropFirst().prefix(2), as: UTF8.self)
            let byte = UInt8(digits, radix: 16) ?? 0
            if ASCII.isUnreserved(byte) || ";&=+$,".utf8.contains(byte) {
                throw CommandFailure("a login must not have '%\(digits)' for '\(Character(UnicodeScalar(byte)))'")
            }
            if digits != digits.uppercased() {
                throw CommandFailure("write '%\(digits)' in a login as '%\(digits.uppercased())'")
            }
            rest = rest[percent...].dropFirst(3)
        }
    }

    func check(password: String) throws {
        let least = max(1, site.configuration.authentication.minPasswordLength)
        if password.count < least {
            throw CommandFailure("the password is too short: at least \(least) characters are needed")
        }
    }
}
