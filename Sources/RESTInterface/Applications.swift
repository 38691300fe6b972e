import HTTPMessage
import Store

/// The Applications of an account: what answers calls and texts.
extension Operation {
    private static let values: [Parameter] =
        [Parameter("RcmlUrl", .url, "Another name of VoiceUrl, as Restcomm has it.")]
        + Parameter.urls("Voice", "calls") + Parameter.urls("Sms", "texts") + Parameter.statusCallback

    static let applications: [Operation] = [
        Operation(
            "listApplications", .get, "/Accounts/{AccountSid}/Applications",
            "Lists the applications of the account in the order of their creation: all, or a page when one is asked for.",
            [Parameter("FriendlyName", .text(limit: 64), "Only applications with this name.")]
                + PageRequest.parameters, answers: .array(.application), problems: [.parameterInvalid]
        ) { service, call throws(Failure) in try service.listApplications(call) },
        Operation(
            "createApplication", .post, "/Accounts/{AccountSid}/Applications", "Creates an application.",
            [Parameter("FriendlyName", .text(limit: 64), "The name for people.").required] + values,
            answers: .resource(.application), problems: [.parameterMissing, .parameterInvalid, .accountClosed]
        ) { service, call throws(Failure) in try service.createApplication(call) },
        Operation(
            "readApplication", .get, "/Accounts/{AccountSid}/Applications/{ApplicationSid}", "Shows an application.",
            answers: .resource(.application), problems: [.notFound]
        ) { service, call throws(Failure) in
            .resource(RESTService.representation(of: try service.application(call), call))
        },
        update("updateApplication", .post), update("replaceApplication", .put),
        Operation(
            "deleteApplication", .delete, "/Accounts/{AccountSid}/Applications/{ApplicationSid}",
            "Deletes an application that nothing refers to.", answers: .empty, problems: [.notFound, .applicationInUse]
        ) { service, call throws(Failure) in try service.deleteApplication(call) },
    ]

    private static func update(_ name: String, _ method: HTTPMethod) -> Operation {
        Operation(
            name, method, "/Accounts/{AccountSid}/Applications/{ApplicationSid}",
            "Changes an application; what is not sent stays.",
            [Parameter("FriendlyName", .text(limit: 64), "The name for people.").filled] + values,
            answers: .resource(.application), problems: [.notFound, .parameterInvalid]
        ) { service, call throws(Failure) in try service.updateApplication(call) }
    }
}

extension Schema {
    static let application = Schema(
        "Application",
        [
            Member("sid", .sid("AP"), "What identifies the application."), created, updated,
            Member("friendly_name", .text, "The name for people."), owner, version,
        ] + urls("voice", "calls") + urls("sms", "texts") + statusCallback + [
            Member("rcml_url", .text, "The same as voice_url, as Restcomm calls it.", optional: true), uri,
        ])
}

extension RESTService {
    func listApplications(_ call: Call) throws(Failure) -> Reply {
        try list(call, "Applications", place: \ApplicationRow.id) {
            RESTService.representation(of: $0, call)
        } rows: { store, last, offset, limit throws(StoreError) in
            try store.applications(
                ofAccount: call.account.id, friendlyName: call.filled("FriendlyName"), after: last ?? 0, offset: offset,
                limit: limit)
        }
    }

    func createApplication(_ call: Call) throws(Failure) -> Reply {
        var row = ApplicationRow(accountID: call.account.id, friendlyName: "", date: call.now)
        RESTService.apply(call, to: &row)
        let wanted = row
        let made = try change { store throws(StoreError) -> Result<ApplicationRow, Failure> in
            if let failure = try RESTService.closedAccount(call, store) { return .failure(failure) }
            return .success(try store.createApplication(wanted))
        }
        return .resource(RESTService.representation(of: made, call))
    }

    func updateApplication(_ call: Call) throws(Failure) -> Reply {
        let sid = try application(call).sid
        let changed = try change { store throws(StoreError) -> Result<ApplicationRow, Failure> in
            guard var row = try store.application(sid: sid) else { return .failure(Failure(.notFound)) }
            RESTService.apply(call, to: &row)
            row.dateUpdated = call.now
            _ = try store.updateApplication(row)
            return .success(row)
        }
        return .resource(RESTService.representation(of: changed, call))
    }

    func deleteApplication(_ call: Call) throws(Failure) -> Reply {
        let row = try application(call)
        try change { store throws(StoreError) -> Result<Void, Failure> in
            let users = try store.references(toApplication: row.sid, limit: 10)
            if !users.isEmpty {
                let names = users.map(\.description).joined(separator: ", ")
                return .failure(
                    Failure(
                        .applicationInUse,
                        "The application is in use by \(names). Take it from them first, then delete it."))
            }
            return try store.removeApplication(id: row.id) ? .success(()) : .failure(Failure(.notFound))
        }
        return .empty
    }

    /// The application in the URL.
    func application(_ call: Call) throws(Failure) -> ApplicationRow {
        let sid = call.value("ApplicationSid")
        return try owned(call) { store throws(StoreError) in
            try store.application(sid: sid)
        } account: {
            $0.accountID
        }
    }

    static func representation(of row: ApplicationRow, _ call: Call) -> Representation {
        var result = Representation("Application")
        result.add("sid", row.sid)
        result.add("date_created", APIDate.text(row.dateCreated))
        result.add("date_updated", APIDate.text(row.dateUpdated))
        result.add("friendly_name", row.friendlyName)
        result.add("account_sid", call.account.sid)
        result.add("api_version", row.apiVersion)
        result.add("voice", row.voice)
        result.add("sms", row.sms)
        result.add("status_callback", row.statusCallback)
        result.add("status_callback_method", row.statusCallbackMethod)
        result.add("rcml_url", row.voice.url)
        result.add("uri", call.uri("Applications/\(row.sid)"))
        return result
    }

    private static func apply(_ call: Call, to row: inout ApplicationRow) {
        call.apply("FriendlyName") { row.friendlyName = $0 ?? row.friendlyName }
        call.apply("RcmlUrl") { row.voice.url = $0 }
        call.apply("Voice", to: &row.voice)
        call.apply("Sms", to: &row.sms)
        call.apply("StatusCallback") { row.statusCallback = $0 }
        call.apply("StatusCallbackMethod") { row.statusCallbackMethod = $0?.uppercased() ?? "POST" }
    }
}
