import HTTPMessage
import Store

/// Accounts: who uses the API, in a tree of at most three levels.
extension Operation {
    private static let password = Parameter(
        "Password", .refused("an account authenticates by its AuthToken; leave it out."),
        "Not taken: the AuthToken is what an account authenticates by.")

    static let accounts: [Operation] = [
        Operation(
            "listAccounts", .get, "/Accounts",
            "Lists the accounts below the caller's, one level, in the order of their creation.",
            [
                Parameter("FriendlyName", .text(limit: 64), "Only accounts with this name."),
                Parameter("Status", .word(AccountStatus.allCases.map(\.rawValue)), "Only accounts with this status."),
            ] + PageRequest.parameters, answers: .array(.account), problems: [.parameterInvalid]
        ) { service, call throws(Failure) in try service.listAccounts(call) },
        Operation(
            "createAccount", .post, "/Accounts", "Creates an account below the caller's.",
            [
                Parameter(
                    "FriendlyName", .text(limit: 64), "The name for people; empty for the e-mail address, else the sid."
                ),
                Parameter("EmailAddress", .email, "Another name to authenticate with; empty for none."),
                Parameter("Status", .word([AccountStatus.active.rawValue]), "A new account is active."),
                password,
            ], answers: .resource(.account),
            problems: [.parameterInvalid, .emailTaken, .accountsTooDeep]
        ) { service, call throws(Failure) in try service.createAccount(call) },
        Operation(
            "readAccount", .get, "/Accounts/{AccountSid}", "Shows the caller's account, or one below it.",
            answers: .resource(.account), problems: [.notFound]
        ) { _, call throws(Failure) in .resource(RESTService.representation(of: call.account, call)) },
        update("updateAccount", .post), update("replaceAccount", .put),
    ]

    private static func update(_ name: String, _ method: HTTPMethod) -> Operation {
        Operation(
            name, method, "/Accounts/{AccountSid}",
            "Changes an account. Its Status holds for all accounts below it; closed is for ever, and deletes clients, applications and numbers.",
            [
                Parameter("FriendlyName", .text(limit: 64), "The name for people.").filled,
                Parameter("EmailAddress", .email, "Another name to authenticate with; empty for none."),
                Parameter(
                    "Status", .word(AccountStatus.allCases.map(\.rawValue)),
                    "Whether the account and its clients may do anything."
                )
                .filled,
                Parameter("RenewAuthToken", .word(["true", "false"]), "true makes a new AuthToken; the old one ends."),
                password,
            ], answers: .resource(.account),
            problems: [.notFound, .parameterInvalid, .emailTaken, .accountClosed, .ownStatus]
        ) { service, call throws(Failure) in try service.updateAccount(call) }
    }
}

extension Schema {
    static let account = Schema(
        "Account",
        [
            Member("sid", .sid("AC"), "What identifies the account, and its name in Basic authentication."),
            Member("friendly_name", .text, "The name for people."),
            Member("email_address", .text, "Another name to authenticate with.", optional: true),
            Member("type", .word(["Full"]), "Always Full."),
            Member(
                "status", .word(AccountStatus.allCases.map(\.rawValue)),
                "Its own status, or that of an account above it when worse."),
            created, updated,
            Member("auth_token", .text, "The secret of Basic authentication."),
            Member("parent_account_sid", .sid("AC"), "The account above it.", optional: true), uri,
            Member(
                "subresource_uris",
                .object(Schema("SubresourceUris", subresources.map { Member($0.name, .text, "Its \($0.path).") })),
                "The addresses of what it has."),
        ])

    /// What an account has: the member, and the last part of the address.
    static let subresources: [(name: String, path: String)] = [
        ("clients", "Clients"), ("registrations", "Registrations"), ("applications", "Applications"),
        ("incoming_phone_numbers", "IncomingPhoneNumbers"), ("calls", "Calls"), ("sms_messages", "SMS/Messages"),
    ]
}

extension RESTService {
    /// The greatest number of accounts above one.
    private static let depth = 2

    func listAccounts(_ call: Call) throws(Failure) -> Reply {
        let filter = AccountFilter(
            friendlyName: call.filled("FriendlyName"),
            status: call.filled("Status").flatMap { AccountStatus(rawValue: $0) })
        return try list(call, "Accounts", place: \AccountRow.id) {
            RESTService.representation(of: $0, call)
        } rows: { store, last, offset, limit throws(StoreError) in
            try store.accounts(
                childrenOf: call.caller.sid, matching: filter, after: last ?? 0, offset: offset, limit: limit)
        }
    }

    func createAccount(_ call: Call) throws(Failure) -> Reply {
        let email = call["EmailAddress"] ?? ""
        let name = call.filled("FriendlyName") ?? email
        let made = try change { store throws(StoreError) -> Result<AccountRow, Failure> in
            if let failure = try RESTService.closedAccount(call, store) { return .failure(failure) }
            if try store.ancestors(of: call.caller).count >= RESTService.depth {
                return .failure(Failure(.accountsTooDeep))
            }
            if !email.isEmpty, try store.account(email: email) != nil {
                return .failure(Failure(.emailTaken, parameter: "EmailAddress"))
            }
            return .success(
                try store.createAccount(friendlyName: name, email: email, parentSID: call.caller.sid, at: call.now))
        }
        return .resource(RESTService.representation(of: made, call))
    }

    func updateAccount(_ call: Call) throws(Failure) -> Reply {
        if call.filled("Status") != nil, call.account.id == call.caller.id { throw Failure(.ownStatus) }
        let sid = call.account.sid
        let changed = try change { store throws(StoreError) -> Result<AccountRow, Failure> in
            guard var row = try store.account(sid: sid) else { return .failure(Failure(.notFound)) }
            if row.status == "closed" { return .failure(Failure(.accountClosed)) }
            let name = call.filled("FriendlyName") ?? row.friendlyName
            let email = call["EmailAddress"] ?? row.email
            if !email.isEmpty, let other = try store.account(email: email), other.id != row.id {
                return .failure(Failure(.emailTaken, parameter: "EmailAddress"))
            }
            row.friendlyName = name
            row.email = email
            if call["RenewAuthToken"] == "true" { row.renewAuthToken() }
            row.dateUpdated = call.now
            _ = try store.updateAccount(row)
            if let status = call.filled("Status").flatMap({ AccountStatus(rawValue: $0) }) {
                _ = try store.setAccountStatus(id: row.id, status: status, at: call.now)
            }
            return .success(try store.account(sid: sid) ?? row)
        }
        return .resource(RESTService.representation(of: changed, call))
    }

    static func representation(of row: AccountRow, _ call: Call) -> Representation {
        var result = Representation("Account")
        result.add("sid", row.sid)
        result.add("friendly_name", row.friendlyName)
        result.add("email_address", row.email.isEmpty ? nil : row.email)
        result.add("type", "Full")
        result.add("status", row.effectiveStatus)
        result.add("date_created", APIDate.text(row.dateCreated))
        result.add("date_updated", APIDate.text(row.dateUpdated))
        result.add("auth_token", row.authToken)
        result.add("parent_account_sid", row.parentSID)
        result.add("uri", Call.uri(of: row.sid, "", call.format))
        var below = Representation("SubresourceUris")
        for (name, path) in Schema.subresources { below.add(name, Call.uri(of: row.sid, path, call.format)) }
        result.add("subresource_uris", .object(below.members))
        return result
    }
}
