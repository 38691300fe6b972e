import HTTPMessage
import Primitives
import Store

/// The Notifications of an account, a call or a text: what went wrong while an application ran.
extension Operation {
    private static let filters: [Parameter] =
        [
            Parameter("Log", .word(["0", "1"]), "0 for errors only, 1 for warnings only."),
            Parameter("ErrorCode", .number(0...999_999), "Only notifications with this code.").filled,
            Parameter("MessageText", .text(limit: 256), "Only notifications that contain this."),
            Parameter("StartTime", .day, "Only notifications of this day (UTC) or later."),
            Parameter("EndTime", .day, "Only notifications of this day (UTC) or before."),
            Parameter("Reverse", .word(["true", "false"]), "true for the newest first."),
        ] + PageRequest.parameters

    static let notifications: [Operation] =
        [
            Operation(
                "listNotifications", .get, "/Accounts/{AccountSid}/Notifications",
                "Lists what went wrong in the calls and texts of the account's applications, the oldest first unless asked otherwise, a page at a time.",
                filters, answers: .page(.notification, "notifications"), problems: [.parameterInvalid, .pageInvalid]
            ) { service, call throws(Failure) in
                try service.listNotifications(call, path: "Notifications", of: nil)
            },
            Operation(
                "readNotification", .get, "/Accounts/{AccountSid}/Notifications/{NotificationSid}",
                "Shows a notification.", answers: .resource(.notification), problems: [.notFound]
            ) { service, call throws(Failure) in
                .resource(RESTService.representation(of: try service.notification(call), call))
            },
            Operation(
                "listCallNotifications", .get, "/Accounts/{AccountSid}/Calls/{CallSid}/Notifications",
                "Lists what went wrong in a call, a page at a time.", filters,
                answers: .page(.notification, "notifications"), problems: [.notFound, .parameterInvalid, .pageInvalid]
            ) { service, call throws(Failure) in
                let row = try service.record(call)
                return try service.listNotifications(
                    call, path: "Calls/\(row.number.sid(prefix: "CA"))/Notifications", of: row.number)
            },
        ]
        + [("", "SMS/Messages"), ("Plain", "Messages")].map { suffix, path in
            Operation(
                "listMessageNotifications\(suffix)", .get,
                "/Accounts/{AccountSid}/\(path)/{MessageSid}/Notifications",
                "Lists what went wrong with a text, a page at a time.", filters,
                answers: .page(.notification, "notifications"), problems: [.notFound, .parameterInvalid, .pageInvalid]
            ) { service, call throws(Failure) in
                let row = try service.message(call)
                return try service.listNotifications(
                    call, path: "\(path)/\(row.number.sid(prefix: "SM"))/Notifications", of: row.number)
            }
        }
}

extension Schema {
    static let notification = Schema(
        "Notification",
        [
            Member("sid", .sid("NO"), "What identifies the notification."), created, updated, owner,
            Member("call_sid", .sid("CA"), "The call that it is about.", optional: true),
            Member("sms_sid", .sid("SM"), "The text that it is about.", optional: true), version,
            Member("log", .number, "0 for an error, 1 for a warning."),
            Member("error_code", .number, "What kind it is; Docs/Applications.md lists them."),
            Member("more_info", .text, "Where to read on."),
            Member("message_text", .text, "What happened, why, and what to do."),
            Member("message_date", .date, "When it happened."),
            Member("request_url", .text, "The URL that it is about, without its query.", optional: true),
            Member("line", .number, "The line in the document, from 1.", optional: true),
            Member("column", .number, "The column in the document, from 1.", optional: true), uri,
        ])
}

extension RESTService {
    func listNotifications(_ call: Call, path: String, of record: RecordNumber?) throws(Failure) -> Reply {
        var filter = NotificationFilter()
        filter.record = record
        filter.level = call.number("Log").map(Int64.init)
        filter.code = call.number("ErrorCode").map(Int64.init)
        filter.text = call.filled("MessageText")
        filter.createdFrom = call.filled("StartTime").flatMap { APIDate.startOfDay($0) }
        filter.createdTo = call.filled("EndTime").flatMap { APIDate.startOfDay($0) }.map(RESTService.nextDay)
        let (account, wanted, isDescending) = (call.account.id, filter, call["Reverse"] == "true")
        let total = try stored { store throws(StoreError) in
            try store.notificationCount(ofAccount: account, matching: wanted)
        }
        return .page(
            try Page("notifications", element: "Notifications", call, path: call.uri(path), total: total) {
                page throws(Failure) in
                try stored { store throws(StoreError) in
                    try store.notifications(
                        ofAccount: account, matching: wanted, isDescending: isDescending, offset: page.offset,
                        limit: page.size)
                }.map { RESTService.representation(of: $0, call) }
            })
    }

    /// The notification in the URL.
    func notification(_ call: Call) throws(Failure) -> NotificationRow {
        guard let number = RecordNumber(sid: call.value("NotificationSid"), prefix: "NO") else {
            throw Failure(.notFound)
        }
        return try owned(call) { store throws(StoreError) in
            try store.notification(number)
        } account: {
            $0.accountID
        }
    }

    static func representation(of row: NotificationRow, _ call: Call) -> Representation {
        let sid = row.number.sid(prefix: "NO")
        var result = Representation("Notification")
        result.add("sid", sid)
        result.add("date_created", APIDate.text(row.createdAt))
        result.add("date_updated", APIDate.text(row.createdAt))
        result.add("account_sid", call.account.sid)
        result.add("call_sid", row.isOfText ? nil : row.record.sid(prefix: "CA"))
        result.add("sms_sid", row.isOfText ? row.record.sid(prefix: "SM") : nil)
        result.add("api_version", "2012-04-24")
        result.add("log", number: row.level)
        result.add("error_code", number: row.code)
        result.add("more_info", "Docs/Applications.md#notifications")
        result.add("message_text", row.message)
        result.add("message_date", APIDate.text(row.createdAt))
        result.add("request_url", row.url.isEmpty ? nil : row.url)
        result.add("line", number: row.line > 0 ? row.line : nil)
        result.add("column", number: row.column > 0 ? row.column : nil)
        result.add("uri", call.uri("Notifications/\(sid)"))
        return result
    }
}
