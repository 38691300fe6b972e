import Primitives

/// The parameters of requests to applications, in the order in which Restcomm sends them.
///
/// Its `InstanceId` names a machine of its own and is left out.
enum CallParameters {
    typealias Parameter = WebhookRequest.Parameter

    /// The value of `ApiVersion`.
    static let version = "2012-04-24"

    /// Those of a call. `outbound` is the sid of the leg that was dialled last, nil for none.
    static func voice(_ facts: CallFacts, status: String, outbound: String? = nil) -> [Parameter] {
        var result = [Parameter("CallSid", facts.number.sid(prefix: "CA"))]
        if let outbound { result.append(Parameter("OutboundCallSid", outbound)) }
        result.append(Parameter("AccountSid", facts.accountSID))
        result.append(Parameter("From", facts.from))
        result.append(Parameter("To", facts.to))
        result.append(Parameter("CallStatus", status))
        result.append(Parameter("ApiVersion", version))
        result.append(Parameter("Direction", facts.direction.rawValue))
        result.append(Parameter("CallerName", facts.callerName ?? "null"))
        result.append(Parameter("ForwardedFrom", facts.forwardedFrom ?? "null"))
        result.append(Parameter("CallTimestamp", CallTime.iso(facts.startedAt)))
        return result + headers(facts)
    }

    /// Those of a text.
    static func text(_ facts: CallFacts) -> [Parameter] {
        [
            Parameter("SmsSid", facts.number.sid(prefix: "SM")), Parameter("AccountSid", facts.accountSID),
            Parameter("From", facts.from), Parameter("To", facts.to), Parameter("Body", facts.body),
            Parameter("ApiVersion", version),
        ] + headers(facts)
    }

    /// What is told of a text that was sent, right away or at its end.
    static func sent(_ text: CallText, _ facts: CallFacts, status: String, error: String?) -> [Parameter] {
        let sid = text.number.sid(prefix: "SM")
        return [
            Parameter("SmsSid", sid), Parameter("SmsStatus", status), Parameter("MessageSid", sid),
            Parameter("MessageStatus", status), Parameter("From", text.from), Parameter("To", text.to),
            Parameter("Body", text.body), Parameter("AccountSid", facts.accountSID),
            Parameter("ErrorCode", error ?? "null"),
        ]
    }

    private static func headers(_ facts: CallFacts) -> [Parameter] {
        facts.headers.map { Parameter("SipHeader_" + $0.name, $0.value) }
    }
}

extension WebhookRequest {
    /// What a status callback is told of a leg: by `CallProgram` of those of `<Dial>`, by the server of a call of the API.
    ///
    /// - Parameters:
    ///   - leg: The facts of the leg: its own number, whom it is from and to, its direction.
    ///   - parent: The call that it is a leg of; `.none` for none.
    ///   - sequence: How many the callback was told before of this leg.
    ///   - seconds: The time of talk; told with `completed` only.
    public static func legProgress(
        _ state: LegState, of leg: CallFacts, parent: RecordNumber, to address: WebAddress, sequence: Int,
        seconds: Int64 = 0, result: String? = nil, at now: UnixTime
    ) -> WebhookRequest {
        var parameters = [
            Parameter("AccountSid", leg.accountSID), Parameter("CallSid", leg.number.sid(prefix: "CA")),
            Parameter("From", leg.from), Parameter("To", leg.to), Parameter("Direction", leg.direction.rawValue),
            Parameter("CallerName", leg.callerName ?? "null"),
            Parameter("ForwardedFrom", leg.forwardedFrom ?? "null"),
        ]
        if parent != .none { parameters.append(Parameter("ParentCallSid", parent.sid(prefix: "CA"))) }
        parameters.append(Parameter("CallStatus", state.rawValue))
        if state == .completed {
            parameters.append(Parameter("CallDuration", String(seconds)))
            if let result { parameters.append(Parameter("DialCallStatus", result)) }
        }
        parameters.append(Parameter("Timestamp", CallTime.rfc2822(now)))
        parameters.append(Parameter("CallbackSource", "call-progress-events"))
        parameters.append(Parameter("SequenceNumber", String(sequence)))
        return WebhookRequest(id: 0, address: address, parameters: parameters, secret: leg.authToken)
    }
}

/// Times as applications are told them.
enum CallTime {
    private static let days = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
    private static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    /// `2013-11-04T16:33:39.000Z`.
    static func iso(_ time: UnixTime) -> String {
        let date = CalendarDate(time)
        let milliseconds = Int(((time.milliseconds % 1000) + 1000) % 1000)
        return padded(date.year, 4) + "-" + padded(date.month) + "-" + padded(date.day) + "T" + clock(date) + "."
            + padded(milliseconds, 3) + "Z"
    }

    /// `Mon, 04 Nov 2013 16:33:39 +0000` (RFC 2822 section 3.3).
    static func rfc2822(_ time: UnixTime) -> String {
        let date = CalendarDate(time)
        return days[date.weekday] + ", " + padded(date.day) + " " + months[date.month - 1] + " "
            + padded(date.year, 4) + " " + clock(date) + " +0000"
    }

    /// Whole seconds between two times; 0 when the clock was set back.
    static func seconds(from start: UnixTime, to end: UnixTime) -> Int64 {
        max(0, end.milliseconds &- start.milliseconds) / 1000
    }

    private static func clock(_ date: CalendarDate) -> String {
        padded(date.hour) + ":" + padded(date.minute) + ":" + padded(date.second)
    }

    private static func padded(_ number: Int, _ width: Int = 2) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
}

extension RecordNumber {
    /// Stands where there is no record.
    static var none: RecordNumber { RecordNumber(0) }
}
