import HTTPMessage
import Primitives

/// A ban or a delay of the running SIP server.
public struct BanRow: Equatable, Sendable {
    /// `BN` and 32 hexadecimal digits.
    public var sid: String
    /// `source`, `attempt` or `login`.
    public var kind: String
    /// The address or network; nil for a login from anywhere.
    public var source: String?
    /// The login, as sent.
    public var login: String
    /// The failures that led to it.
    public var failures: Int64
    /// When it began.
    public var since: UnixTime
    /// When it ends, or when the login may be tried next.
    public var until: UnixTime
    /// Why the last attempt failed.
    public var refusal: SIPRefusal

    /// All parts.
    public init(
        sid: String, kind: String, source: String?, login: String, failures: Int64, since: UnixTime, until: UnixTime,
        refusal: SIPRefusal
    ) {
        self.sid = sid
        self.kind = kind
        self.source = source
        self.login = login
        self.failures = failures
        self.since = since
        self.until = until
        self.refusal = refusal
    }
}

/// The Bans: who is kept out now for guessing. Ours; of the whole server, so for its main account only.
extension Operation {
    static let bans: [Operation] = [
        Operation(
            "listBans", .get, "/Accounts/{AccountSid}/Bans",
            "Lists the addresses that are banned now, and the logins that have to wait before they are tried again.",
            PageRequest.parameters, answers: .array(.ban), problems: [.parameterInvalid, .mainAccountOnly]
        ) { service, call throws(Failure) in try service.listBans(call) },
        Operation(
            "deleteBan", .delete, "/Accounts/{AccountSid}/Bans/{BanSid}",
            "Lifts a ban or a delay at once, and forgets the failures that led to it.", answers: .empty,
            problems: [.notFound, .mainAccountOnly]
        ) { service, call throws(Failure) in try service.deleteBan(call) },
    ]
}

extension Schema {
    static let ban = Schema(
        "Ban",
        [
            Member("sid", .sid("BN"), "What identifies it, as long as it lasts."),
            Member(
                "kind", .word(["source", "attempt", "login"]),
                "source: all packets of the address are dropped. attempt: the login has to wait from this address. "
                    + "login: it has to wait from everywhere but where its client is known."),
            Member("source", .text, "The address, or the IPv6 network.", optional: true),
            Member("login", .text, "The login as sent; of a source that of its last failure."),
            Member("failures", .number, "The failures that led to it."),
            Member("date_created", .date, "When it began."),
            Member("date_expires", .date, "When it ends; of a login when it may be tried next."),
            Member("expires_in", .number, "Seconds until then."),
            Member("code", .text, "Why the last attempt failed."),
            Member("message", .text, "The same in words, with what to do."), uri,
        ])
}

extension RESTService {
    private func checkMainAccount(_ call: Call) throws(Failure) {
        if call.account.parentSID != nil { throw Failure(.mainAccountOnly) }
    }

    func listBans(_ call: Call) throws(Failure) -> Reply {
        try checkMainAccount(call)
        var rows = settings.sip?.bans() ?? []
        if PageRequest.isWanted(call) {
            let page = PageRequest(call)
            rows = Array(rows.dropFirst(Int(clamping: page.offset)).prefix(Int(clamping: page.size)))
        }
        return .array(rows.map { RESTService.representation(of: $0, call) }, element: "Bans")
    }

    func deleteBan(_ call: Call) throws(Failure) -> Reply {
        try checkMainAccount(call)
        guard settings.sip?.liftBan(call.value("BanSid")) == true else { throw Failure(.notFound) }
        return .empty
    }

    static func representation(of row: BanRow, _ call: Call) -> Representation {
        var result = Representation("Ban")
        result.add("sid", row.sid)
        result.add("kind", row.kind)
        result.add("source", row.source)
        result.add("login", row.login)
        result.add("failures", number: row.failures)
        result.add("date_created", APIDate.text(row.since))
        result.add("date_expires", APIDate.text(row.until))
        result.add("expires_in", number: max(0, row.until.milliseconds - call.now.milliseconds + 999) / 1000)
        result.add("code", row.refusal.code)
        result.add("message", row.refusal.message)
        result.add("uri", call.uri("Bans/\(row.sid)"))
        return result
    }
}
