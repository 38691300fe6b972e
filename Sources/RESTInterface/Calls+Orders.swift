import HTTPMessage
import Primitives
import Store

/// Starting a call by the API, and ending or redirecting one that goes on.
extension Operation {
    /// What a status callback of a call can be told, in this order.
    static let callEvents = ["initiated", "ringing", "answered", "completed"]

    private static let answering: [Parameter] = [
        Parameter("Url", .url, "The application that answers once the called party has."),
        Parameter("Method", .method, "How Url is fetched; empty for POST."),
    ]

    static let callOrders: [Operation] = [
        Operation(
            "startCall", .post, "/Accounts/{AccountSid}/Calls",
            "Calls somebody, and lets an application decide once the call is answered.",
            [
                Parameter("From", .party, "A client or a number of the account; client: before it is allowed.")
                    .required,
                Parameter("To", .target, "client:LOGIN, a number, or a SIP URI; ?X-Name=value behind it adds headers.")
                    .required,
            ] + answering + [
                Parameter("ApplicationSid", .sid("AP"), "An application of the account, in place of the URLs."),
                Parameter("FallbackUrl", .url, "The address tried when Url fails; empty for none."),
                Parameter("FallbackMethod", .method, "How FallbackUrl is fetched; empty for POST."),
            ] + Parameter.statusCallback + [
                Parameter(
                    "StatusCallbackEvent", .words(callEvents), "What StatusCallback is told; empty for completed."),
                Parameter("Timeout", .number(1...600), "Seconds of ringing; 60 without it.").filled,
            ], answers: .resource(.call),
            problems: [.parameterMissing, .parameterInvalid, .recipientUnreachable, .textsRefused]
        ) { service, call throws(Failure) in try service.startCall(call) },
        Operation(
            "orderCall", .post, "/Accounts/{AccountSid}/Calls/{CallSid}",
            "Ends a call that goes on, or sends it on to another document.",
            [
                Parameter(
                    "Status", .word(["completed", "canceled"]),
                    "completed ends the call, canceled only one that is not answered.")
            ] + answering, answers: .resource(.call),
            problems: [
                .notFound, .parameterMissing, .parameterInvalid, .callOver, .callAnswered, .callElsewhere,
            ]
        ) { service, call throws(Failure) in try service.orderCall(call) },
    ]
}

extension RESTService {
    func startCall(_ call: Call) throws(Failure) -> Reply {
        if call.account.effectiveStatus != "active" { throw Failure(.accountInactive) }
        let from = Parameter.user(call["From"] ?? "")
        try checkSender(from, call)
        let target = try resolved(CallTarget(call["To"] ?? ""))
        guard let kind = target.kind else { throw Failure.invalid("To", "it names nobody.") }
        let (sid, voice, fallback) = try answering(call)
        let sip = try runningServer()
        var request = OutgoingCallRequest(
            number: sip.makeRecordNumber(), accountID: call.account.id, accountSID: call.account.sid,
            authToken: call.account.authToken, from: from, kind: kind, to: target.name, voice: voice)
        request.headers = target.headers
        request.applicationSID = sid
        request.fallback = fallback
        request.statusCallback = call.filled("StatusCallback").map { .init($0, call.method("StatusCallbackMethod")) }
        if let events = call.filled("StatusCallbackEvent") { request.statusEvents = Parameter.words(events) }
        request.timeout = UInt32(call.number("Timeout") ?? 60)
        if let refusal = sip.startCall(request) { throw failure(of: refusal, request) }
        return .resource(RESTService.representation(of: try begun(request, call), call))
    }

    /// From must be the account's: nobody speaks for another.
    func checkSender(_ from: String, _ call: Call) throws(Failure) {
        let account = call.account.id
        let isOwn = try stored { store throws(StoreError) in
            if let client = try store.client(login: from) { return client.accountID == account }
            return try store.number(phoneNumber: from)?.accountID == account
        }
        if !isOwn { throw Failure.invalid("From", "it is neither a client nor a number of the account.") }
    }

    /// The SIP server, which the command line has not.
    func runningServer() throws(Failure) -> any SIPService {
        if let sip = settings.sip { return sip }
        throw Failure(
            .storeUnavailable, "The server is not running, so nothing can be sent. Start it with 'rollcall serve'.")
    }

    /// A name without `client:` is a client's, else a number.
    private func resolved(_ target: CallTarget) throws(Failure) -> CallTarget {
        var target = target
        if target.kind == .sip { return target }
        let login = target.name
        let isClient = try stored { store throws(StoreError) in try store.client(login: login) } != nil
        if isClient {
            target.kind = .client
        } else if target.kind == nil, RESTService.isDialable(login) {
            target.kind = .number
        } else {
            throw Failure.invalid("To", "there is no client '\(login)'.")
        }
        return target
    }

    /// True for what a telephone can dial: digits, `*`, and a `+` in front.
    static func isDialable(_ text: String) -> Bool {
        let digits = text.utf8.dropFirst(text.hasPrefix("+") ? 1 : 0)
        return (1...32).contains(digits.count) && digits.allSatisfy { ASCII.isDigit($0) || $0 == UInt8(ascii: "*") }
    }

    /// What answers: an application goes before the URLs, as for clients.
    private func answering(
        _ call: Call
    ) throws(Failure) -> (sid: String, voice: OutgoingCallRequest.Address, fallback: OutgoingCallRequest.Address?) {
        if let sid = call.filled("ApplicationSid") {
            let row = try stored { store throws(StoreError) in try store.application(sid: sid) }
            guard let row, row.accountID == call.account.id else {
                throw Failure.invalid("ApplicationSid", "the account has no application \(sid).")
            }
            guard let url = row.voice.url else {
                throw Failure.invalid("ApplicationSid", "the application \(sid) has no VoiceUrl.")
            }
            let fallback = row.voice.fallbackURL.map { OutgoingCallRequest.Address($0, row.voice.fallbackMethod) }
            return (sid, .init(url, row.voice.method), fallback)
        }
        guard let url = call.filled("Url") else {
            throw Failure(
                .parameterMissing, "Url or ApplicationSid is needed: it says what answers.", parameter: "Url")
        }
        let fallback = call.filled("FallbackUrl").map {
            OutgoingCallRequest.Address($0, call.method("FallbackMethod"))
        }
        return ("", .init(url, call.method("Method")), fallback)
    }

    /// Why the SIP server does not call, for who asked.
    private func failure(of refusal: SIPRefusal, _ request: OutgoingCallRequest) -> Failure {
        if let seconds = refusal.retryAfter {
            var failure = Failure(.textsRefused, "\(refusal.code): \(refusal.message)")
            failure.retryAfter = seconds
            return failure
        }
        if request.kind == .client, refusal.status == 480 || refusal.status == 404 {
            // The words of Restcomm.
            return Failure(
                .recipientUnreachable,
                "The SIP Client \(request.to) is not registered or does not exist. \(refusal.code): \(refusal.message)",
                parameter: "To")
        }
        if refusal.status == 404 { return .invalid("To", "\(refusal.code): \(refusal.message)") }
        return Failure(.recipientUnreachable, "\(refusal.code): \(refusal.message)", parameter: "To")
    }

    /// The record of a call that has begun. The SIP server has given it to the store; a look through the queue of
    /// changes sees it, and where it is late, what was asked for is shown.
    private func begun(_ request: OutgoingCallRequest, _ call: Call) throws(Failure) -> CallRow {
        let number = request.number
        let row = try change { store throws(StoreError) -> Result<CallRow?, Failure> in
            .success(try store.call(number))
        }
        return row
            ?? CallRow(
                number: number, accountID: call.account.id, from: request.from, to: request.to, callerName: "",
                direction: "outbound-api", status: .queued, startedAt: call.now, callID: "")
    }

    func orderCall(_ call: Call) throws(Failure) -> Reply {
        // Whose it is comes first: others learn nothing of a call.
        let row = try record(call)
        let order: CallOrderRequest
        switch (call.filled("Status"), call.filled("Url")) {
        case ("canceled", nil): order = .cancel
        case ("completed", nil): order = .complete
        case (nil, let url?): order = .redirect(.init(url, call.method("Method")))
        case (nil, nil):
            throw Failure(.parameterMissing, "Status or Url is needed: it says what to do.", parameter: "Status")
        default:
            throw Failure.invalid("Url", "a call that is to end goes nowhere; send Status or Url, not both.")
        }
        if row.endedAt != nil { throw Failure(.callOver) }
        switch try runningServer().order(row.number, order) {
        case .done: break
        case .alreadyAnswered: throw Failure(.callAnswered, parameter: "Status")
        case .unknown: throw Failure(try isOver(row.number) ? .callOver : .callElsewhere)
        }
        let number = row.number
        let changed = try change { store throws(StoreError) -> Result<CallRow?, Failure> in
            .success(try store.call(number))
        }
        return .resource(RESTService.representation(of: changed ?? row, call))
    }

    /// True when the record of a call has its end; a look through the queue of changes sees one that came just now.
    private func isOver(_ number: RecordNumber) throws(Failure) -> Bool {
        try change { store throws(StoreError) -> Result<Bool, Failure> in
            .success(try store.call(number)?.endedAt != nil)
        }
    }
}

extension Call {
    /// A parameter that is a method, in capitals; POST without it.
    func method(_ name: String) -> String { filled(name)?.uppercased() ?? "POST" }
}
