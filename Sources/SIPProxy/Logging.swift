import Observability
import Primitives
import SIPAuthentication
import SIPMessage
import SIPRegistrar

/// The log lines of the proxy: one when a call starts, one when it ends, one for each refusal with cause and remedy.
extension CallShard {
    /// A call goes out to the callee's contacts.
    func logStart(
        _ request: borrowing SIPMessage, _ contacts: Int, _ record: RecordNumber, from flow: Flow, _ now: Now,
        _ effects: inout Effects
    ) {
        guard effects.log.begin(.callStart, at: now.unix) else { return }
        effects.log.field("src", source: flow)
        effects.log.field("call", record, prefix: "CA")
        effects.log.parties(of: request)
        effects.log.field("contacts", number: Int64(contacts))
        effects.log.end()
    }

    /// A BYE of the caller or the callee ends a call that was answered.
    func logEnd(
        of request: borrowing SIPMessage, _ record: RecordNumber, isFromCaller: Bool, from flow: Flow, _ now: Now,
        _ effects: inout Effects
    ) {
        guard effects.log.begin(.callEnd, at: now.unix) else { return }
        effects.log.field("src", source: flow)
        effects.log.field("call", record, prefix: "CA")
        effects.log.field("from", LogBuffer.name(isFromCaller ? request.from.uri : request.to.uri))
        effects.log.field("to", LogBuffer.name(isFromCaller ? request.to.uri : request.from.uri))
        effects.log.field("cid", request.callID)
        effects.log.field("result", "completed")
        effects.log.field("by", isFromCaller ? "caller" : "callee")
        effects.log.end()
    }

    /// A request other than INVITE was answered with 2xx; a call is told when it ends.
    func logSuccess(
        _ context: ResponseContext, _ response: borrowing SIPMessage, _ now: Now, _ effects: inout Effects
    ) {
        guard context.method == .message, effects.log.begin(.messageEnd, at: now.unix) else { return }
        if !context.isOwn { effects.log.field("src", source: context.source) }
        effects.log.field("message", context.record.number, prefix: "SM")
        effects.log.parties(of: response)
        effects.log.field("sip", number: Int64(response.status))
        effects.log.field("ms", number: Int64(clamping: now.instant.milliseconds(since: context.startedAt)))
        effects.log.end()
    }

    /// A request has failed on all branches, or was cancelled.
    func logFailure(
        _ context: ResponseContext, _ status: UInt16, _ server: SIPServer, _ now: Now, _ effects: inout Effects
    ) {
        let event: LogEvent
        switch context.method {
        case .invite: event = .callEnd
        case .message: event = .messageEnd
        default: return
        }
        var stored = context.best.isEmpty ? forwardedRequest(of: context) : context.best
        // What was never forwarded, for want of an address, is as it came.
        if stored.isEmpty { stored = context.request }
        var message = SIPMessage()
        stored.withSlice { bytes in
            _ = message.parse(bytes)
            // 401 and 407 come from beyond us and are the caller's to answer.
            guard status != 401, status != 407, effects.log.begin(event, at: now.unix) else { return }
            if !context.isOwn { effects.log.field("src", source: context.source) }
            effects.log.field(context.method, context.record.number)
            effects.log.parties(of: message)
            effects.log.field("result", SIPServer.result(of: status))
            effects.log.field("sip", number: Int64(status))
            effects.log.field("branches", number: Int64(context.branches.count))
            effects.log.field("ms", number: Int64(clamping: now.instant.milliseconds(since: context.startedAt)))
            effects.log.reason(context.reason)
            effects.log.end()
        }
    }

    /// A contact could not be reached.
    func logBranchFailure(
        _ transaction: ClientTransaction, _ status: UInt16, _ now: Now, _ effects: inout Effects
    ) {
        effects.logTransportError(
            status == 408 ? "no answer to a request and its retransmissions" : "a request could not be sent",
            transaction.flow, isTo: true, now: now)
    }
}

extension SIPServer {
    /// The word for how a call ended, as in call records.
    public static func result(of status: UInt16) -> ByteSlice {
        switch status {
        case 486, 600: "busy"
        case 487: "canceled"
        case 408, 480: "no-answer"
        default: "failed"
        }
    }

    /// A request was refused.
    func log(
        _ request: borrowing SIPMessage, refused reason: Reason, _ record: RecordNumber = .none, isAuthenticated: Bool,
        from flow: Flow, _ now: Now, _ effects: inout Effects
    ) {
        noteFailure(of: request, reason, isAuthenticated: isAuthenticated, from: flow, now)
        let event: LogEvent
        switch request.method {
        case .register: event = .registrationRefused
        case .invite: event = .callRefused
        case .message: event = .messageRefused
        default: event = request.toTag.isEmpty ? .requestRefused : .dialogRefused
        }
        guard effects.beginRefusal(event, LogBuffer.name(request.from.uri), from: flow, now) else { return }
        if event == .requestRefused || event == .dialogRefused { effects.log.field("method", request.methodText) }
        effects.log.field(request.method, record)
        effects.log.parties(of: request)
        effects.log.field("sip", number: Int64(reason.status))
        effects.log.reason(reason)
        effects.log.end()
    }

    /// A request cannot be acted upon, but answered.
    func logFault(
        _ fault: Fault, _ reason: Reason, of request: borrowing SIPMessage, from flow: Flow, _ now: Now,
        _ effects: inout Effects
    ) {
        let user = LogBuffer.name(request.from.uri)
        guard effects.beginRefusal(.requestRefused, user, from: flow, now) else { return }
        effects.log.field("method", request.methodText)
        effects.log.parties(of: request)
        effects.log.field("sip", number: Int64(fault.status))
        effects.log.field("fault", fault.phrase)
        effects.log.reason(reason)
        effects.log.end()
    }

    /// A request was challenged: for lack of credentials, which is normal, or because its credentials were not good.
    func logChallenge(
        _ request: borrowing SIPMessage, _ reason: Reason?, stale: Bool, from flow: Flow, _ now: Now,
        _ effects: inout Effects
    ) {
        let isFailure = reason != nil && !stale
        if let reason { noteFailure(of: request, reason, isAuthenticated: false, from: flow, now) }
        let event: LogEvent = isFailure ? .authenticationFail : .authenticationChallenge
        let user = LogBuffer.name(request.from.uri)
        guard effects.beginRefusal(event, user, from: flow, now) else { return }
        effects.log.field("method", request.methodText)
        effects.log.field("user", user)
        if isFailure { logLogin(of: request, unless: user, &effects) }
        effects.log.field("cid", request.callID)
        if let reason { effects.log.reason(reason) }
        effects.log.end()
    }
}

extension SIPServer {
    /// Adds the user name of the credentials, which a phone can have set to another than its address.
    private func logLogin(of request: borrowing SIPMessage, unless user: ByteSlice, _ effects: inout Effects) {
        let name: HeaderName = request.method == .register ? .authorization : .proxyAuthorization
        guard let value = request.value(of: name), let credentials = try? DigestCredentials(value),
            credentials.username != user
        else { return }
        effects.log.field("login", credentials.username)
    }
}

extension LogBuffer {
    /// Adds the sid of the record of a request: `call=CA...` for an INVITE, `message=SM...` for a MESSAGE.
    mutating func field(_ method: Method, _ record: RecordNumber) {
        if method == .invite { field("call", record, prefix: "CA") } else { field("message", record, prefix: "SM") }
    }

    /// Adds From, To and Call-ID of a message: the user parts where there are any, else the whole URIs.
    mutating func parties(of message: borrowing SIPMessage) {
        field("from", LogBuffer.name(message.from.uri))
        field("to", LogBuffer.name(message.to.uri))
        field("cid", message.callID)
    }

    /// Adds a contact's URI, without the password that one may have.
    public mutating func contact(_ uri: ByteSlice) {
        if let parsed = SIPURI(uri), parsed.password != nil {
            field("contact", parsed.host)
        } else {
            field("contact", uri)
        }
    }

    /// The user of a URI where there is one, else the whole URI.
    static func name(_ uri: ByteSlice) -> ByteSlice {
        guard let parsed = SIPURI(uri), parsed.hasUser else { return uri }
        return parsed.user
    }
}
