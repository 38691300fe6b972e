import HTTPMessage
import Primitives
import Store

/// The Registrations of an account or client: where its devices are reached now. Ours; Restcomm has none.
extension Operation {
    static let registrations: [Operation] = [
        Operation(
            "listRegistrations", .get, "/Accounts/{AccountSid}/Registrations",
            "Lists the devices that the account's clients have registered now, client by client.",
            PageRequest.parameters, answers: .array(.registration), problems: [.parameterInvalid]
        ) { service, call throws(Failure) in try service.listRegistrations(call, client: nil) },
        Operation(
            "readRegistration", .get, "/Accounts/{AccountSid}/Registrations/{RegistrationSid}",
            "Shows a registration.", answers: .resource(.registration), problems: [.notFound]
        ) { service, call throws(Failure) in
            .resource(service.shown(try service.registration(call), call))
        },
        Operation(
            "deleteRegistration", .delete, "/Accounts/{AccountSid}/Registrations/{RegistrationSid}",
            "Ends a registration: nothing goes to its device any more, until it registers again.", answers: .empty,
            problems: [.notFound]
        ) { service, call throws(Failure) in try service.deleteRegistration(call) },
        Operation(
            "listClientRegistrations", .get, "/Accounts/{AccountSid}/Clients/{ClientSid}/Registrations",
            "Lists the devices that a client has registered now.", PageRequest.parameters,
            answers: .array(.registration),
            problems: [.notFound, .parameterInvalid]
        ) { service, call throws(Failure) in
            try service.listRegistrations(call, client: try service.client(call).id)
        },
        Operation(
            "readClientRegistration", .get,
            "/Accounts/{AccountSid}/Clients/{ClientSid}/Registrations/{RegistrationSid}",
            "Shows a registration of a client.", answers: .resource(.registration), problems: [.notFound]
        ) { service, call throws(Failure) in
            .resource(service.shown(try service.registration(call), call))
        },
        Operation(
            "deleteClientRegistration", .delete,
            "/Accounts/{AccountSid}/Clients/{ClientSid}/Registrations/{RegistrationSid}",
            "Ends a registration of a client.", answers: .empty, problems: [.notFound]
        ) { service, call throws(Failure) in try service.deleteRegistration(call) },
        status("readRegistrationStatus", "RegistrationStatus"), status("readRegistrationState", "registration_status"),
    ]

    private static func status(_ name: String, _ segment: String) -> Operation {
        Operation(
            name, .get, "/Accounts/{AccountSid}/Clients/{ClientSid}/\(segment)",
            "Shows whether a client is registered, and its last refused request.",
            answers: .resource(.registrationStatus),
            problems: [.notFound]
        ) { service, call throws(Failure) in try service.registrationStatus(call) }
    }
}

extension Schema {
    static let registration = Schema(
        "Registration",
        [
            Member("sid", .sid("RG"), "What identifies the registration."), owner,
            Member("client_sid", .sid("CL"), "The client."), Member("login", .text, "The client's login."),
            Member("contact", .text, "The URI that the device gave."),
            Member("source", .text, "The address and port that the REGISTER came from."),
            Member("transport", .word(["udp", "tcp"]), "How it came."),
            Member("user_agent", .text, "What the device calls itself."),
            Member("instance_id", .text, "The device's instance-id (RFC 5626).", optional: true),
            Member(
                "status", .word(["active", "waiting"]),
                "waiting for a device on TCP that has not come back since a restart."),
            Member("q", .text, "The preference among the client's devices, 0 to 1."),
            Member("date_created", .date, "When the device registered first."),
            Member("date_last_seen", .date, "When it registered last."),
            Member("last_alive", .date, "When it was heard last: by a REGISTER, or an answer to a ping."),
            Member(
                "reachable", .flag,
                "False when calls pass it by: its connection is gone, or it does not answer pings any more."),
            Member("date_expires", .date, "When the registration ends unless it is refreshed."),
            Member("expires_in", .number, "Seconds until then."), uri,
        ])

    static let registrationStatus = Schema(
        "RegistrationStatus",
        [
            Member("client_sid", .sid("CL"), "The client."), owner, Member("login", .text, "Its login."),
            Member("registered", .flag, "True when a device is registered now."),
            Member("registrations", .number, "How many are."),
            Member("date_last_seen", .date, "When one of them registered last.", optional: true),
            Member(
                "last_failure", .object(lastFailure),
                "The last request in its name that was refused, since the start of the server.", optional: true),
            uri,
        ])

    static let lastFailure = Schema(
        "LastFailure",
        [
            Member("date", .date, "When."), Member("source", .text, "Where it came from."),
            Member("transport", .word(["udp", "tcp"]), "How it came."),
            Member("user_agent", .text, "What the device calls itself."), Member("method", .text, "The SIP method."),
            Member("code", .text, "Why it was refused."),
            Member("message", .text, "The same in words, with what to do."),
        ])
}

extension RESTService {
    func listRegistrations(_ call: Call, client: Int64?) throws(Failure) -> Reply {
        try list(call, "Registrations", place: { ($0.binding.clientID, $0.binding.key) }) {
            self.shown($0, call)
        } rows: { store, last, offset, limit throws(StoreError) in
            if let client {
                return try store.bindings(
                    ofClient: client, liveAt: call.now, after: last?.1, offset: offset, limit: limit)
            }
            return try store.bindings(
                ofAccount: call.account.id, liveAt: call.now, after: last.map { ($0.0, $0.1) }, offset: offset,
                limit: limit)
        }
    }

    func deleteRegistration(_ call: Call) throws(Failure) -> Reply {
        let found = try registration(call)
        settings.sip?.removeBinding(
            found.binding.key, ofClient: found.login, number: found.binding.clientID)
        let isStoredElsewhere = settings.sip != nil
        // With a server, this waits until its own change of the store is durable.
        try change { store throws(StoreError) -> Result<Void, Failure> in
            if !isStoredElsewhere {
                _ = try store.removeBinding(client: found.binding.clientID, key: found.binding.key)
            }
            return .success(())
        }
        return .empty
    }

    func registrationStatus(_ call: Call) throws(Failure) -> Reply {
        let client = try client(call)
        let bindings = try stored { store throws(StoreError) in
            try store.bindings(ofClient: client.id, liveAt: call.now)
        }
        var result = Representation("RegistrationStatus")
        result.add("client_sid", client.sid)
        result.add("account_sid", call.account.sid)
        result.add("login", client.login)
        result.add("registered", .flag(!bindings.isEmpty))
        result.add("registrations", number: Int64(bindings.count))
        result.add("date_last_seen", bindings.map(\.updatedAt).max().map(APIDate.text))
        if let failure = settings.sip?.lastFailure(ofClient: client.login) {
            var last = Representation("LastFailure")
            last.add("date", APIDate.text(failure.date))
            last.add("source", failure.source)
            last.add("transport", failure.transport)
            last.add("user_agent", failure.userAgent)
            last.add("method", failure.method)
            last.add("code", failure.refusal.code)
            last.add("message", failure.refusal.message)
            result.add("last_failure", .object(last.members))
        }
        result.add("uri", call.uri("Clients/\(client.sid)/RegistrationStatus"))
        return .resource(result)
    }

    /// The registration in the URL: of the account, and of the client where the URL names one.
    func registration(_ call: Call) throws(Failure) -> BindingListing {
        let sid = call.value("RegistrationSid")
        guard let client = RegistrationSID.client(of: sid) else { throw Failure(.notFound) }
        let account = try stored { store throws(StoreError) in try store.client(id: client)?.accountID }
        guard let account else { throw Failure(.notFound) }
        if account != call.account.id { throw Failure(.resourceElsewhere) }
        if call.path["ClientSid"] != nil, try self.client(call).id != client { throw Failure(.notFound) }
        var last: [UInt8]?
        while true {
            let found = try stored { store throws(StoreError) in
                try store.bindings(ofClient: client, liveAt: call.now, after: last, limit: 100)
            }
            if let match = found.first(where: { RegistrationSID.make($0.binding) == sid }) { return match }
            guard let end = found.last else { throw Failure(.notFound) }
            last = end.binding.key
        }
    }

    /// A registration with what the SIP server knows of its device now.
    func shown(_ row: BindingListing, _ call: Call) -> Representation {
        let presence = settings.sip?.presence(ofBinding: row.binding.key, client: row.login)
        return RESTService.representation(of: row, call, presence: presence)
    }

    static func representation(
        of row: BindingListing, _ call: Call, presence: Presence? = nil
    ) -> Representation {
        let binding = row.binding
        let sid = RegistrationSID.make(binding)
        let isWaiting = binding.transport.isReliable && binding.listener.isEmpty
        var result = Representation("Registration")
        result.add("sid", sid)
        result.add("account_sid", call.account.sid)
        result.add("client_sid", row.clientSID)
        result.add("login", row.login)
        result.add("contact", String(decoding: binding.contact, as: UTF8.self))
        result.add("source", binding.remote.description)
        result.add("transport", binding.transport.name.string)
        result.add("user_agent", String(decoding: binding.userAgent, as: UTF8.self))
        result.add("instance_id", binding.instance.map { String(decoding: $0, as: UTF8.self) })
        result.add("status", isWaiting ? "waiting" : "active")
        result.add("q", q(binding.q))
        result.add("date_created", APIDate.text(binding.createdAt))
        result.add("date_last_seen", APIDate.text(binding.updatedAt))
        result.add("last_alive", APIDate.text(presence?.lastAlive ?? binding.updatedAt))
        result.add("reachable", .flag(presence?.isReachable ?? !isWaiting))
        result.add("date_expires", APIDate.text(binding.expiresAt))
        result.add(
            "expires_in", number: max(0, binding.expiresAt.milliseconds - call.now.milliseconds + 999) / 1000)
        result.add("uri", call.uri("Registrations/\(sid)"))
        return result
    }

    /// A preference in thousandths as SIP writes it: `1`, `0.5`.
    private static func q(_ thousandths: UInt16) -> String {
        if thousandths >= 1000 { return "1" }
        var digits = String(1000 + Int(thousandths)).dropFirst()
        while digits.count > 1, digits.last == "0" { digits.removeLast() }
        return digits == "0" ? "0" : "0.\(digits)"
    }
}

/// The sid of a registration: its client's number and a hash of its key, so that it needs no column.
enum RegistrationSID {
    static func make(_ binding: BindingRow) -> String {
        var hash = SipHash(key: HashKey(0x7265_6769, 0x7374_6572))
        binding.key.withSlice { hash.update($0) }
        hash.update(UInt64(bitPattern: binding.clientID))
        var writer = ByteWriter(capacity: 32)
        writer.append(hexadecimal: UInt64(bitPattern: binding.clientID), digits: 16)
        writer.append(hexadecimal: hash.finalize().first, digits: 16)
        return "RG" + writer.slice.string
    }

    /// The number of the client in a sid; nil for text of another form.
    static func client(of sid: String) -> Int64? {
        guard Parameter.isSID(sid, "RG") else { return nil }
        return Int64(sid.dropFirst(2).prefix(16), radix: 16)
    }
}
