import HTTPMessage
import Observability
import Primitives
import Store

/// The Calls of an account: the records of what its clients dialled.
extension Operation {
    private static let columns: [(name: String, column: CallColumn)] = [
        ("DateCreated", .number), ("From", .from), ("To", .to), ("Direction", .direction), ("Status", .status),
        ("Duration", .duration),
    ]

    /// The days that a list of records can be limited to.
    static let days = [
        Parameter("StartTime", .day, "Only what began on this day (UTC) or later."),
        Parameter("EndTime", .day, "Only what ended on this day (UTC) or before."),
    ]

    static let calls: [Operation] = [
        Operation(
            "listCalls", .get, "/Accounts/{AccountSid}/Calls",
            "Lists the calls of the account's clients, the oldest first unless asked otherwise, a page at a time.",
            [
                Parameter("From", .text(limit: 128), "Only calls of callers that end so."),
                Parameter("To", .text(limit: 128), "Only calls to what ends so."),
                Parameter("Status", .word(CallStatus.allCases.map(\.rawValue)), "Only calls with this status."),
            ] + days + [
                Parameter("ParentCallSid", .sid("CA"), "Only calls that are part of this one."),
                Parameter("SortBy", .order(columns.map(\.name)), "What to sort by, with :asc or :desc."),
                Parameter("Reverse", .word(["true", "false"]), "true for the newest first."),
            ] + PageRequest.parameters, answers: .page(.call, "calls"), problems: [.parameterInvalid, .pageInvalid]
        ) { service, call throws(Failure) in try service.listCalls(call, order(call)) },
        Operation(
            "readCall", .get, "/Accounts/{AccountSid}/Calls/{CallSid}", "Shows the record of a call.",
            answers: .resource(.call), problems: [.notFound]
        ) { service, call throws(Failure) in
            .resource(RESTService.representation(of: try service.record(call), call))
        },
    ]

    private static func order(_ call: Call) -> RecordOrder<CallColumn> {
        guard let order = call.filled("SortBy").flatMap({ Order($0, columns.map(\.name)) }) else {
            return RecordOrder(.number, isDescending: call["Reverse"] == "true")
        }
        return RecordOrder(
            columns.first { $0.name == order.field }?.column ?? .number, isDescending: order.isDescending)
    }
}

extension Schema {
    static let call = Schema(
        "Call",
        [
            Member("sid", .sid("CA"), "What identifies the call."), created, updated,
            Member("parent_call_sid", .sid("CA"), "The call that this one is a part of.", optional: true), owner,
            Member("to", .text, "The callee as dialled."), Member("from", .text, "The caller's login."),
            Member("status", .word(CallStatus.allCases.map(\.rawValue)), "What became of it, or how it stands."),
            Member("start_time", .timestamp, "When the INVITE came."),
            Member("answer_time", .timestamp, "When it was answered.", optional: true),
            Member("end_time", .timestamp, "When it ended.", optional: true),
            Member("duration", .number, "Seconds of talk, until now while it goes on."),
            Member(
                "direction", .text,
                "client-to-client for a call between clients; inbound to an application, outbound-dial of one, outbound-api of the API."
            ), version,
            Member("caller_name", .text, "The caller's name for people."), uri,
            Member(
                "ring_duration", .number,
                "Seconds from the first ringing, or from the INVITE where nothing rang, to answer or end."),
            Member("sip_code", .number, "The final SIP status of the INVITE.", optional: true),
            Member("reason_code", .text, "Why it did not come about, or how it was closed.", optional: true),
            Member("reason", .text, "The same in words, with what to do.", optional: true),
            Member("call_id", .text, "The SIP Call-ID, as in the log."),
            Member(
                "subresource_uris",
                .object(
                    Schema(
                        "CallSubresources",
                        [Member("notifications", .text, "What went wrong while an application ran.")])),
                "What belongs to the call."),
        ])
}

extension RESTService {
    func listCalls(_ call: Call, _ order: RecordOrder<CallColumn>) throws(Failure) -> Reply {
        var filter = CallFilter()
        filter.from = call.filled("From")
        filter.to = call.filled("To")
        filter.status = call.filled("Status").flatMap { CallStatus(rawValue: $0) }
        filter.startedFrom = call.filled("StartTime").flatMap { APIDate.startOfDay($0) }
        filter.endedTo = call.filled("EndTime").flatMap { APIDate.startOfDay($0) }.map(RESTService.nextDay)
        let parent = call.filled("ParentCallSid")
        filter.parent = parent.flatMap { RecordNumber(sid: $0, prefix: "CA") }
        // A well-formed sid that names no call has no parts.
        let isNone = parent != nil && filter.parent == nil
        let (account, wanted) = (call.account.id, filter)
        let total =
            isNone
            ? 0
            : try stored { store throws(StoreError) in try store.callCount(ofAccount: account, matching: wanted) }
        let page = try Page("calls", element: "Calls", call, path: call.uri("Calls"), total: total) {
            page throws(Failure) in
            if isNone { return [] }
            return try stored { store throws(StoreError) in
                try store.calls(
                    ofAccount: account, matching: wanted, order: order, offset: page.offset, limit: page.size)
            }.map { RESTService.representation(of: $0, call) }
        }
        return .page(page)
    }

    /// The midnight after the day that begins at a time.
    static func nextDay(_ midnight: UnixTime) -> UnixTime { UnixTime(seconds: midnight.seconds + 86_400) }

    /// The record of the call in the URL.
    func record(_ call: Call) throws(Failure) -> CallRow {
        guard let number = RecordNumber(sid: call.value("CallSid"), prefix: "CA") else { throw Failure(.notFound) }
        return try owned(call) { store throws(StoreError) in
            try store.call(number)
        } account: {
            $0.accountID
        }
    }

    static func representation(of row: CallRow, _ call: Call) -> Representation {
        let now = max(call.now, row.startedAt)
        let sid = row.number.sid(prefix: "CA")
        var result = Representation("Call")
        result.add("sid", sid)
        result.add("date_created", APIDate.text(row.startedAt))
        result.add("date_updated", APIDate.text(row.endedAt ?? row.answeredAt ?? row.ringingAt ?? row.startedAt))
        result.add("parent_call_sid", row.parent?.sid(prefix: "CA"))
        result.add("account_sid", call.account.sid)
        result.add("to", row.to)
        result.add("from", row.from)
        result.add("status", row.status.rawValue)
        result.add("start_time", APIDate.iso8601(row.startedAt))
        result.add("answer_time", row.answeredAt.map(APIDate.iso8601))
        result.add("end_time", row.endedAt.map(APIDate.iso8601))
        result.add("duration", number: row.answeredAt.map { seconds(from: $0, to: row.endedAt ?? now) } ?? 0)
        result.add("direction", row.direction)
        result.add("api_version", "2012-04-24")
        result.add("caller_name", row.callerName)
        result.add("uri", call.uri("Calls/\(sid)"))
        result.add(
            "ring_duration",
            number: seconds(from: row.ringingAt ?? row.startedAt, to: row.answeredAt ?? row.endedAt ?? now))
        result.add("sip_code", number: row.sipStatus)
        result.addReason(row.reason, code: "reason_code", text: "reason")
        result.add("call_id", row.callID)
        result.add(
            "subresource_uris",
            .object([.init(name: "notifications", value: .text(call.uri("Calls/\(sid)/Notifications")))]))
        return result
    }

    /// Whole seconds between two times, never below 0: the clock may have been set back.
    private static func seconds(from start: UnixTime, to end: UnixTime) -> Int64 {
        max(0, end.milliseconds - start.milliseconds + 500) / 1000
    }
}

extension Representation {
    /// Adds a reason of the SIP server by its number: its code, and cause and remedy.
    mutating func addReason(_ number: Int64?, code: String, text: String) {
        guard let number, let reason = UInt16(exactly: number).flatMap({ Reason(rawValue: $0) }) else { return }
        add(code, reason.code.string)
        add(text, "\(reason.cause.string) \(reason.remedy.string)")
    }
}
