import HTTPMessage
import Store

/// The Clients of an account: what softphones register as.
extension Operation {
    private static let values: [Parameter] = [
        Parameter("FriendlyName", .text(limit: 64), "The name for people; empty for the login."),
        Parameter("Status", .word(["0", "1"]), "1 lets the client register and call, 0 refuses it.").filled,
        Parameter("VoiceUrl", .url, "The application that decides on the client's calls; empty for none."),
        Parameter("VoiceMethod", .method, "How VoiceUrl is fetched; empty for POST."),
        Parameter("VoiceFallbackUrl", .url, "The address tried when VoiceUrl fails; empty for none."),
        Parameter("VoiceFallbackMethod", .method, "How VoiceFallbackUrl is fetched; empty for POST."),
        Parameter(
            "VoiceApplicationSid", .sid("AP"), "An application of the account, in place of the URLs; empty for none."),
    ]

    static let clients: [Operation] = [
        Operation(
            "listClients", .get, "/Accounts/{AccountSid}/Clients",
            "Lists the clients of the account in the order of their creation: all, or a page when one is asked for.",
            [
                Parameter("Login", .text(limit: 64), "Only the client with this login."),
                Parameter("FriendlyName", .text(limit: 64), "Only clients with this name."),
                Parameter("Status", .word(["0", "1"]), "Only clients with this status."),
            ] + PageRequest.parameters, answers: .array(.client), problems: [.parameterInvalid]
        ) { service, call throws(Failure) in try service.listClients(call) },
        Operation(
            "createClient", .post, "/Accounts/{AccountSid}/Clients",
            "Creates a client. The same request again gives the client that exists.",
            [
                Parameter("Login", .login, "The user name that the softphone registers with.").required,
                Parameter("Password", .password, "The password that it registers with.").required,
            ] + values, answers: .resource(.client),
            problems: [
                .parameterMissing, .parameterInvalid, .passwordWeak, .loginTaken, .loginTakenElsewhere, .numberTaken,
                .accountClosed,
            ]
        ) { service, call throws(Failure) in try service.createClient(call) },
        Operation(
            "readClient", .get, "/Accounts/{AccountSid}/Clients/{ClientSid}", "Shows a client.",
            answers: .resource(.client),
            problems: [.notFound]
        ) { service, call throws(Failure) in .resource(service.representation(of: try service.client(call), call)) },
        update("updateClient", .post), update("replaceClient", .put),
        Operation(
            "deleteClient", .delete, "/Accounts/{AccountSid}/Clients/{ClientSid}",
            "Deletes a client; its registrations end at once.", answers: .empty, problems: [.notFound]
        ) { service, call throws(Failure) in try service.deleteClient(call) },
    ]

    /// POST and PUT do the same.
    private static func update(_ name: String, _ method: HTTPMethod) -> Operation {
        Operation(
            name, method, "/Accounts/{AccountSid}/Clients/{ClientSid}",
            "Changes a client; what is not sent stays. The change is in effect when the answer comes.",
            [
                Parameter("Login", .login, "The login, which cannot be changed."),
                Parameter("Password", .password, "The password that the softphone registers with.").filled,
            ] + values, answers: .resource(.client),
            problems: [.notFound, .parameterInvalid, .passwordWeak]
        ) { service, call throws(Failure) in try service.updateClient(call) }
    }
}

extension Schema {
    static let client = Schema(
        "Client",
        [
            Member("sid", .sid("CL"), "What identifies the client."), created, updated, owner, version,
            Member("friendly_name", .text, "The name for people."),
            Member("login", .text, "The user name that the softphone registers with."),
            Member("password", .text, "The password, where the server keeps it readable.", optional: true),
            Member("status", .word(["0", "1"]), "1 for enabled, 0 for disabled."),
            Member("voice_url", .text, "The application of the client's calls.", optional: true),
            Member("voice_method", .word(["GET", "POST"]), "How voice_url is fetched."),
            Member("voice_fallback_url", .text, "The address tried when voice_url fails.", optional: true),
            Member("voice_fallback_method", .word(["GET", "POST"]), "How voice_fallback_url is fetched."),
            Member(
                "voice_application_sid", .sid("AP"), "The application in place of the URLs.", optional: true),
            uri,
        ])
}

extension RESTService {
    func listClients(_ call: Call) throws(Failure) -> Reply {
        let filter = ClientFilter(
            login: call.filled("Login"), friendlyName: call.filled("FriendlyName"),
            status: call.number("Status").map(Int64.init))
        return try list(call, "Clients", place: \ClientRow.id) { [self] in
            representation(of: $0, call)
        } rows: { store, last, offset, limit throws(StoreError) in
            try store.clients(
                ofAccount: call.account.id, matching: filter, after: last ?? 0, offset: offset, limit: limit)
        }
    }

    func createClient(_ call: Call) throws(Failure) -> Reply {
        let login = call["Login"] ?? ""
        let password = call["Password"] ?? ""
        // A name that is only spelt differently is the same user (RFC 3261 19.1.4); the rules of logins see to that.
        var row = ClientRow(
            accountID: call.account.id, login: login, friendlyName: login, password: nil, ha1MD5: [], ha1SHA256: [],
            ha1SHA512_256: [], realm: settings.realm, date: call.now)
        row.setPassword(password, realm: settings.realm, isKept: settings.keepsPasswords)
        apply(call, to: &row)
        let existing = try stored { store throws(StoreError) in try store.client(login: login) }
        if let existing { return try existingClient(existing, call, password) }
        try checkStrength(of: password)
        let wanted = row
        let made = try change { store throws(StoreError) -> Result<ClientRow?, Failure> in
            // What others have done since.
            if let failure = try RESTService.closedAccount(call, store) { return .failure(failure) }
            if let failure = try RESTService.missingApplication("VoiceApplicationSid", call, store) {
                return .failure(failure)
            }
            if try store.client(login: login) != nil { return .success(nil) }
            if try store.number(phoneNumber: login) != nil {
                return .failure(
                    Failure(.numberTaken, "The name \(login) is that of a number already.", parameter: "Login"))
            }
            return .success(try store.createClient(wanted))
        }
        if let made { return .resource(representation(of: made, call, newPassword: password)) }
        // The same request came twice at once, or another one with the same login.
        guard let existing = try stored({ store throws(StoreError) in try store.client(login: login) }) else {
            throw Failure(.loginTaken, parameter: "Login")
        }
        return try existingClient(existing, call, password)
    }

    /// A creation of a client that exists: a repetition gets it, anything else is a conflict.
    private func existingClient(_ existing: ClientRow, _ call: Call, _ password: String) throws(Failure) -> Reply {
        if existing.accountID != call.account.id { throw Failure(.loginTakenElsewhere, parameter: "Login") }
        var asked = existing
        apply(call, to: &asked)
        guard asked == existing, existing.hasPassword(password, realm: settings.realm) else {
            throw Failure(.loginTaken, parameter: "Login")
        }
        return .resource(representation(of: existing, call))
    }

    func updateClient(_ call: Call) throws(Failure) -> Reply {
        let found = try client(call)
        if let login = call.filled("Login"), login != found.login {
            throw Failure.invalid("Login", "the login of a client cannot be changed; create another client.")
        }
        let password = call["Password"]
        if let password { try checkStrength(of: password) }
        let (settings, sid) = (settings, found.sid)
        let changed = try change { store throws(StoreError) -> Result<ClientRow, Failure> in
            // Read again, as another request may have changed it since.
            guard var row = try store.client(sid: sid) else { return .failure(Failure(.notFound)) }
            if let failure = try RESTService.missingApplication("VoiceApplicationSid", call, store) {
                return .failure(failure)
            }
            if let password { row.setPassword(password, realm: settings.realm, isKept: settings.keepsPasswords) }
            RESTService.apply(call, to: &row)
            row.dateUpdated = call.now
            _ = try store.updateClient(row)
            // A disabled client has no registrations.
            if row.status == 0 { _ = try store.removeBindings(ofClient: row.id) }
            return .success(row)
        }
        return .resource(representation(of: changed, call, newPassword: password))
    }

    func deleteClient(_ call: Call) throws(Failure) -> Reply {
        let row = try client(call)
        try change { store throws(StoreError) in
            try store.removeClient(id: row.id) ? .success(()) : .failure(Failure(.notFound))
        }
        return .empty
    }

    /// The client in the URL.
    func client(_ call: Call) throws(Failure) -> ClientRow {
        let sid = call.value("ClientSid")
        return try owned(call) { store throws(StoreError) in
            try store.client(sid: sid)
        } account: {
            $0.accountID
        }
    }

    func representation(of row: ClientRow, _ call: Call, newPassword: String? = nil) -> Representation {
        var result = Representation("Client")
        result.add("sid", row.sid)
        result.add("date_created", APIDate.text(row.dateCreated))
        result.add("date_updated", APIDate.text(row.dateUpdated))
        result.add("account_sid", call.account.sid)
        result.add("api_version", row.apiVersion)
        result.add("friendly_name", row.friendlyName)
        result.add("login", row.login)
        // Where only digests are kept, who sets a password sees it once.
        result.add("password", row.password ?? newPassword)
        result.add("status", String(row.status))
        result.add("voice_url", row.voiceURL)
        result.add("voice_method", row.voiceMethod)
        result.add("voice_fallback_url", row.voiceFallbackURL)
        result.add("voice_fallback_method", row.voiceFallbackMethod)
        result.add("voice_application_sid", row.voiceApplicationSID)
        result.add("uri", call.uri("Clients/\(row.sid)"))
        return result
    }

    private func apply(_ call: Call, to row: inout ClientRow) { RESTService.apply(call, to: &row) }

    /// Takes the parameters that are there over, but for login and password.
    private static func apply(_ call: Call, to row: inout ClientRow) {
        let login = row.login
        call.apply("FriendlyName") { row.friendlyName = $0 ?? login }
        call.apply("Status") { row.status = $0 == "0" ? 0 : 1 }
        call.apply("VoiceUrl") { row.voiceURL = $0 }
        call.apply("VoiceMethod") { row.voiceMethod = $0?.uppercased() ?? "POST" }
        call.apply("VoiceFallbackUrl") { row.voiceFallbackURL = $0 }
        call.apply("VoiceFallbackMethod") { row.voiceFallbackMethod = $0?.uppercased() ?? "POST" }
        call.apply("VoiceApplicationSid") { row.voiceApplicationSID = $0 }
    }

    private func checkStrength(of password: String) throws(Failure) {
        guard password.count < settings.minPasswordLength else { return }
        throw Failure(
            .passwordWeak, "Password too weak: at least \(settings.minPasswordLength) characters are needed.",
            parameter: "Password")
    }
}
