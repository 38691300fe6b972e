import Observability
import Primitives
import SIPMessage
import SIPRegistrar

/// The answers that need no state (RFC 3261 8.2.7): challenges, refusals, and what is asked of the server itself.
extension SIPServer {
    /// Answers a request, which needs to be answerable, with a status and nothing else.
    func respond(to request: borrowing SIPMessage, status: UInt16, from flow: Flow, effects: inout Effects) {
        let start = effects.outbox.bytes.count
        ResponseTag(for: request, key: settings.runKey).withSlice {
            effects.outbox.bytes.beginResponse(to: request, status: status, source: flow.remote, toTag: $0)
        }
        effects.outbox.bytes.endResponse()
        effects.outbox.send(from: start, to: request.topVia.responseFlow(source: flow))
    }

    /// Refuses a request with a reason: the status, a Warning that tells it, and a line in the log.
    func reject(
        _ request: borrowing SIPMessage, _ reason: Reason, isAuthenticated: Bool = false, from flow: Flow, now: Now,
        effects: inout Effects
    ) {
        log(request, refused: reason, isAuthenticated: isAuthenticated, from: flow, now, &effects)
        // 17.1.1.2: nothing is ever answered to an ACK.
        if request.method == .ack { return }
        let start = effects.outbox.bytes.count
        writeRefusal(reason, of: request, from: flow, into: &effects.outbox.bytes)
        effects.outbox.send(from: start, to: request.topVia.responseFlow(source: flow))
    }

    /// Writes the answer that refuses a request.
    func writeRefusal(
        _ reason: Reason, of request: borrowing SIPMessage, from flow: Flow, into writer: inout ByteWriter
    ) {
        let refusal: Refusal
        switch reason {
        case .unsupportedExtension:
            var tags = request.optionTags(of: .proxyRequire)
            let header: HeaderName = tags.next(in: request) != nil ? .proxyRequire : .require
            refusal = Refusal(reason, .unsupported(header))
        case .methodNotAllowed: refusal = Refusal(reason, .allow)
        case .sessionTooShort: refusal = Refusal(reason, .minSE(SessionTimer.shortestInterval))
        case .serverOverloaded, .clientShareUsed, .serverStopping:
            refusal = Refusal(reason, .retryAfter(retryTime(for: request, reason)))
        default: refusal = Refusal(reason)
        }
        ResponseTag(for: request, key: settings.runKey).withSlice { tag in
            domains.domain.withSlice {
                writer.writeRefusal(refusal, of: request, source: flow.remote, toTag: tag, domain: $0)
            }
        }
    }

    /// Asks who a request is from and holds the answer against From (product rule: nobody acts as another).
    ///
    /// - Returns: The caller; nil when the request has been answered.
    func authenticate(
        _ request: borrowing SIPMessage, from flow: Flow, now: Now, effects: inout Effects
    ) -> Caller? {
        switch authenticator.authenticate(request, .proxy, source: flow.remote, now: now.unix) {
        case .authenticated(let client):
            effects.prove(flow)
            guard authenticator.identityMatches(request.from, login: client.login) else {
                reject(request, .fromIsNotLogin, isAuthenticated: true, from: flow, now: now, effects: &effects)
                return nil
            }
            return Caller(
                key: client.key, id: client.id,
                credentials: request.field(.proxyAuthorization, containing: client.login))
        case .challenge(let stale, let reason):
            let start = effects.outbox.bytes.count
            ResponseTag(for: request, key: settings.runKey).withSlice {
                authenticator.writeChallenge(
                    to: request, .proxy, stale: stale, source: flow.remote, toTag: $0, now: now.unix,
                    into: &effects.outbox.bytes)
            }
            effects.outbox.send(from: start, to: request.topVia.responseFlow(source: flow))
            logChallenge(request, reason, stale: stale, from: flow, now, &effects)
            return nil
        case .refused(let reason):
            reject(request, reason, from: flow, now: now, effects: &effects)
            return nil
        case .delayed(let seconds):
            log(request, refused: .tooManyFailures, isAuthenticated: false, from: flow, now, &effects)
            let start = effects.outbox.bytes.count
            ResponseTag(for: request, key: settings.runKey).withSlice { tag in
                domains.domain.withSlice {
                    effects.outbox.bytes.writeRefusal(
                        Refusal(.tooManyFailures, .retryAfter(seconds)), of: request, source: flow.remote, toTag: tag,
                        domain: $0)
                }
            }
            effects.outbox.send(from: start, to: request.topVia.responseFlow(source: flow))
            return nil
        }
    }

    /// True when an address is that of a client which is disabled.
    func isDisabled(_ address: NameAddress) -> Bool {
        guard let uri = SIPURI(address.uri), domains.isOursAtAnyPort(uri) else { return false }
        return location.withClient(uri.user) { !$0.isEnabled } ?? false
    }

    /// Finds the contacts that a request goes to (16.5); gives the reason when there is none.
    func appendTargets(
        of request: borrowing SIPMessage, _ uri: SIPURI?, now: Now, to targets: inout [Target]
    ) -> Reason? {
        if let uri {
            if !domains.isOurs(uri) { return appendDialogPeer(of: request, uri, now: now, to: &targets) }
            return appendTargets(ofUser: uri.user, now: now, to: &targets)
        }
        guard let uri = TelURI(request.requestURI) else { return .unsupportedScheme }
        return uri.plainNumber.withSlice { appendTargets(ofUser: $0, now: now, to: &targets) }
    }

    /// Finds the contacts of a client; gives the reason when there is none.
    func appendTargets(ofUser user: ByteSlice, now: Now, to targets: inout [Target]) -> Reason? {
        let isKnown = location.appendTargets(of: user, now: now.unix, to: &targets)
        if !targets.isEmpty { return nil }
        // A disabled client looks like one that is not registered; only an unknown one is told apart.
        guard isKnown else {
            return location.withClient(user, { _ in true }) != nil ? .calleeNotRegistered : .calleeUnknown
        }
        return location.isRegistered(user, now: now.unix) ? .calleeUnreachable : .calleeNotRegistered
    }

    /// Finds the contact that a request within a dialog names, for a phone that has lost the route: only a contact that
    /// is registered, so that nothing is relayed elsewhere.
    private func appendDialogPeer(
        of request: borrowing SIPMessage, _ uri: SIPURI, now: Now, to targets: inout [Target]
    ) -> Reason? {
        if request.toTag.isEmpty { return .foreignDestination }
        var all: [Target] = []
        location.appendTargets(of: uri.user, now: now.unix, to: &all)
        targets += all.filter { target in
            target.binding.withText { SIPURI($0.contact)?.isEquivalent(to: uri) ?? false }
        }
        return targets.isEmpty ? .foreignDestination : nil
    }

    /// What is wrong with the Request-URI of a request that we are to route (16.3 step 2).
    func requestURIFault(_ request: borrowing SIPMessage, _ uri: SIPURI?) -> Reason? {
        let text = request.requestURI
        if let uri {
            // Without TLS nothing can be sent as a sips URI demands; headers have no place in a Request-URI (19.1.1).
            if uri.isSecure { return .unsupportedScheme }
            return uri.headers.isEmpty ? nil : .messageMalformed
        }
        if TelURI(text) != nil { return nil }
        guard let colon = text.firstIndex(of: UInt8(ascii: ":")), colon > 0, ASCII.isLetter(text[0]),
            text[0..<colon].allSatisfy({ ASCII.isToken($0) })
        else { return .messageMalformed }
        let scheme = text[0..<colon]
        let isKnown = scheme.equalsIgnoringCase("sip") || scheme.equalsIgnoringCase("sips")
        return isKnown || scheme.equalsIgnoringCase("tel") ? .messageMalformed : .unsupportedScheme
    }

    /// True when the Request-URI names this server and nobody on it.
    func isForServer(_ uri: SIPURI?) -> Bool {
        guard let uri else { return false }
        return !uri.hasUser && domains.isOursAtAnyPort(uri)
    }

    /// True when a host and port of a Via or Route are ours.
    func isListener(_ host: ByteSlice, port: UInt16?) -> Bool { domains.isOurs(host: host, port: port) }

    /// Answers a request to the server itself: OPTIONS tells what we can (11.2), nothing else is for us.
    func answerOwnRequest(
        _ request: borrowing SIPMessage, from flow: Flow, now: Now, effects: inout Effects
    ) {
        guard request.method == .options else {
            reject(request, .methodNotAllowed, from: flow, now: now, effects: &effects)
            return
        }
        // 8.2.2.3: here we are the user agent that Require is meant for.
        if OptionTag.areUnsupported(.require, in: request) {
            reject(request, .unsupportedExtension, from: flow, now: now, effects: &effects)
            return
        }
        let start = effects.outbox.bytes.count
        ResponseTag(for: request, key: settings.runKey).withSlice {
            effects.outbox.bytes.beginResponse(to: request, status: 200, source: flow.remote, toTag: $0)
        }
        effects.outbox.bytes.appendHeader("Allow", Refusal.allowedMethods)
        effects.outbox.bytes.append("Accept: */*\r\n")
        effects.outbox.bytes.appendHeader("Supported", OptionTag.supported)
        effects.outbox.bytes.endResponse()
        effects.outbox.send(from: start, to: request.topVia.responseFlow(source: flow))
    }

    /// Answers a request that must not be acted upon with what is wrong with it, where there is somebody to answer.
    func answerFault(
        _ fault: Fault, _ request: borrowing SIPMessage, _ flow: Flow, _ now: Now, _ effects: inout Effects
    ) {
        let reason: Reason = fault == .tooLarge ? .messageTooLarge : .messageMalformed
        // What is no request is noise that a stranger can make at will; a request is from somebody who waits for an answer.
        if request.isAnswerable {
            logFault(fault, reason, of: request, from: flow, now, &effects)
        } else if effects.log.begin(.parseBad, at: now.unix) {
            effects.log.field("src", source: flow)
            effects.log.field("fault", fault.phrase)
            effects.log.field("bytes", number: Int64(request.bytes.count))
            effects.log.end()
        }
        if request.isAnswerable {
            let start = effects.outbox.bytes.count
            ResponseTag(for: request, key: settings.runKey).withSlice {
                effects.outbox.bytes.beginResponse(
                    to: request, status: fault.status, phrase: fault.phrase, source: flow.remote, toTag: $0)
            }
            domains.domain.withSlice { effects.outbox.bytes.appendWarning(reason, domain: $0) }
            effects.outbox.bytes.endResponse()
            effects.outbox.send(from: start, to: request.topVia.responseFlow(source: flow))
        }
    }
}

extension SIPMessage {
    /// The index of the field with this name whose value `slice` is a part of; -1 when there is none.
    borrowing func field(_ name: HeaderName, containing slice: ByteSlice) -> Int {
        let offset = slice.offset(in: bytes)
        for index in 0..<fieldCount {
            let entry = field(index)
            if entry.name == name, Int(entry.valueStart) <= offset, offset < Int(entry.valueEnd) { return index }
        }
        return -1
    }
}
