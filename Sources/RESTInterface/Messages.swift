import HTTPMessage
import Primitives
import Store

/// The SMS/Messages of an account: the records of texts, and sending one.
extension Operation {
    private static let filters: [Parameter] =
        [
            Parameter("From", .text(limit: 128), "Only texts of senders that end so."),
            Parameter("To", .text(limit: 128), "Only texts to what ends so."),
            Parameter("Status", .word(MessageStatus.allCases.map(\.rawValue)), "Only texts with this status."),
            Parameter("Body", .text(limit: 256), "Only texts that contain this."),
        ] + days + [Parameter("Reverse", .word(["true", "false"]), "true for the newest first.")]
        + PageRequest.parameters

    /// Each operation under the path of Restcomm, and under that of its later versions.
    static let messages: [Operation] = [("", "SMS/Messages"), ("Plain", "Messages")].flatMap { suffix, path in
        [
            Operation(
                "listMessages\(suffix)", .get, "/Accounts/{AccountSid}/\(path)",
                "Lists the texts of the account's clients and of the API, the oldest first unless asked otherwise, a page at a time.",
                filters, answers: .page(.message, "messages"), problems: [.parameterInvalid, .pageInvalid]
            ) { service, call throws(Failure) in try service.listMessages(call, path) },
            Operation(
                "sendMessage\(suffix)", .post, "/Accounts/{AccountSid}/\(path)",
                "Sends a text to a client that is registered, or to a number.",
                [
                    Parameter("From", .party, "A client or a number of the account; client: before it is allowed.")
                        .required,
                    Parameter("To", .party, "The client or number that gets it; client: before a client is allowed.")
                        .required,
                    Parameter("Body", .body(limit: 16_000), "The text.").required,
                ], answers: .resource(.message),
                problems: [.parameterMissing, .parameterInvalid, .recipientUnreachable, .textsRefused]
            ) { service, call throws(Failure) in try service.sendMessage(call) },
            Operation(
                "readMessage\(suffix)", .get, "/Accounts/{AccountSid}/\(path)/{MessageSid}",
                "Shows the record of a text.", answers: .resource(.message), problems: [.notFound]
            ) { service, call throws(Failure) in
                .resource(RESTService.representation(of: try service.message(call), call))
            },
        ]
    }
}

extension Schema {
    static let message = Schema(
        "SMSMessage",
        [
            Member("sid", .sid("SM"), "What identifies the text."), created, updated,
            Member("date_sent", .date, "When it was sent."), owner, Member("from", .text, "The sender."),
            Member("to", .text, "The recipient as addressed."),
            Member("body", .text, "The text; empty when it was something else than text."),
            Member("status", .word(MessageStatus.allCases.map(\.rawValue)), "What became of it."),
            Member(
                "direction", .text, "outbound-call for a text of a client, outbound-api for one of the API."),
            Member("error_code", .text, "Why it was not delivered.", optional: true),
            Member("error_message", .text, "The same in words, with what to do.", optional: true),
            Member("sip_code", .number, "The final SIP status.", optional: true), version, uri,
        ])
}

extension RESTService {
    func listMessages(_ call: Call, _ path: String) throws(Failure) -> Reply {
        var filter = MessageFilter()
        filter.from = call.filled("From")
        filter.to = call.filled("To")
        filter.status = call.filled("Status").flatMap { MessageStatus(rawValue: $0) }
        filter.body = call.filled("Body")
        filter.createdFrom = call.filled("StartTime").flatMap { APIDate.startOfDay($0) }
        filter.createdTo = call.filled("EndTime").flatMap { APIDate.startOfDay($0) }.map(RESTService.nextDay)
        let (account, wanted) = (call.account.id, filter)
        let order = RecordOrder(MessageColumn.number, isDescending: call["Reverse"] == "true")
        let total = try stored { store throws(StoreError) in
            try store.messageCount(ofAccount: account, matching: wanted)
        }
        let page = try Page("messages", element: "SMSMessages", call, path: call.uri(path), total: total) {
            page throws(Failure) in
            try stored { store throws(StoreError) in
                try store.messages(
                    ofAccount: account, matching: wanted, order: order, offset: page.offset, limit: page.size)
            }.map { RESTService.representation(of: $0, call) }
        }
        return .page(page)
    }

    func sendMessage(_ call: Call) throws(Failure) -> Reply {
        let from = Parameter.user(call["From"] ?? "")
        let to = Parameter.user(call["To"] ?? "")
        let account = call.account.id
        try checkSender(from, call)
        let isClient = try stored { store throws(StoreError) in try store.client(login: to) } != nil
        // A number is the SIP server's to find: here, or behind a gateway.
        if !isClient, call["To"] != to || !RESTService.isDialable(to) {
            throw Failure.invalid("To", "there is no client '\(to)'.")
        }
        let sip = try runningServer()
        let row = MessageRow(
            number: sip.makeRecordNumber(), accountID: account, from: from, to: to,
            body: call["Body"] ?? "", direction: "outbound-api", status: .sending, createdAt: call.now)
        // The record comes first: what becomes of the text is written into it.
        try change { store throws(StoreError) -> Result<Void, Failure> in
            try store.insertMessage(row)
            return .success(())
        }
        if let refusal = sip.send(row.body, from: from, to: to, number: row.number) {
            try endMessage(row.number, refusal, at: call.now)
            if let seconds = refusal.retryAfter {
                // The recipient has nothing to do with it.
                var failure = Failure(.textsRefused, "\(refusal.code): \(refusal.message)")
                failure.retryAfter = seconds
                throw failure
            }
            if refusal.status == 404 { throw Failure.invalid("To", "\(refusal.code): \(refusal.message)") }
            throw Failure(.recipientUnreachable, "\(refusal.code): \(refusal.message)", parameter: "To")
        }
        return .resource(RESTService.representation(of: row, call))
    }

    /// Writes into the record of a text why it was not sent.
    private func endMessage(_ number: RecordNumber, _ refusal: SIPRefusal, at now: UnixTime) throws(Failure) {
        try change { store throws(StoreError) -> Result<Void, Failure> in
            try store.endMessage(
                number, MessageEnd(status: .failed, endedAt: now, sipStatus: refusal.status, reason: refusal.number))
            return .success(())
        }
    }

    /// The record of the text in the URL.
    func message(_ call: Call) throws(Failure) -> MessageRow {
        guard let number = RecordNumber(sid: call.value("MessageSid"), prefix: "SM") else { throw Failure(.notFound) }
        return try owned(call) { store throws(StoreError) in
            try store.message(number)
        } account: {
            $0.accountID
        }
    }

    static func representation(of row: MessageRow, _ call: Call) -> Representation {
        let sid = row.number.sid(prefix: "SM")
        var result = Representation("SMSMessage")
        result.add("sid", sid)
        result.add("date_created", APIDate.text(row.createdAt))
        result.add("date_updated", APIDate.text(row.endedAt ?? row.createdAt))
        result.add("date_sent", APIDate.text(row.createdAt))
        result.add("account_sid", call.account.sid)
        result.add("from", row.from)
        result.add("to", row.to)
        result.add("body", row.body)
        result.add("status", row.status.rawValue)
        result.add("direction", row.direction)
        result.addReason(row.reason, code: "error_code", text: "error_message")
        result.add("sip_code", number: row.sipStatus)
        result.add("api_version", "2012-04-24")
        result.add("uri", call.uri("SMS/Messages/\(sid)"))
        return result
    }
}
