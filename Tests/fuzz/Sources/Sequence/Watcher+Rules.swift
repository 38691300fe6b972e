import Primitives
import SIPMessage
import SIPRegistrar

@testable import SIPProxy

/// What must hold of each message that the server sends.
extension Watcher {
    /// Looks at a message that the server wants sent.
    func watch(_ sent: Sent, now: Now) {
        note(.sent(sent.bytes, sent.flow))
        if watchKeepalive(sent) { return }
        sent.bytes.withSlice { bytes in
            var message = SIPMessage()
            let fault = message.parse(bytes, isStream: true)
            require(message.fieldCount > 0, "a message without headers is sent")
            learnTokens(of: message)
            if message.isRequest {
                require(fault == nil, "a request is sent that is none (\(fault.map { "\($0)" } ?? ""))")
                watchRequest(message, sent.flow)
            } else {
                require(
                    fault == nil || changed.contains(message.callID.bytes),
                    "a response is sent that is none (\(fault.map { "\($0)" } ?? ""))")
                watchResponse(message, sent, now)
            }
        }
        seen.insert(sent.bytes)
    }

    /// Looks at what is not of SIP: pings of one line go where a device is registered, answers of STUN whence they were asked.
    private func watchKeepalive(_ sent: Sent) -> Bool {
        if sent.bytes == [13, 10, 13, 10] {
            require(registeredFlows.contains(sent.flow), "a ping goes where no device is registered")
            return true
        }
        guard sent.bytes.first == 1, sent.bytes.count > 1 else { return false }
        require(sent.bytes[1] == 1 || sent.bytes[1] == 0x11, "an answer of STUN that is none")
        require(cause?.isBinding == true && cause?.flow == sent.flow, "an answer of STUN goes to somebody else")
        require(sent.bytes.count <= (cause?.length ?? 0) + 24, "an answer of STUN has \(sent.bytes.count) bytes")
        return true
    }

    /// No log line may be made by a stranger.
    func watch(log: ByteSlice) {
        var index = 0
        while index < log.count {
            require(log[index] >= 32 && log[index] != 127 || log[index] == 10, "byte \(log[index]) in the log")
            index += 1
        }
    }

    private func learnTokens(of message: borrowing SIPMessage) {
        guard message.isRequest else { return }
        var values = message.values(of: .recordRoute)
        while let value = values.next(in: message) {
            guard let address = NameAddress(value), let uri = SIPURI(address.uri), uri.user.starts(with: "rc") else {
                continue
            }
            // A stranger may bring a Record-Route of his own; what he can make is no token.
            if let cause, cause.isRequest, cause.credentials.isEmpty, !cause.hasToken { continue }
            tokens.insert(message.callID.bytes + [0] + uri.user.bytes)
        }
    }

    // MARK: Requests

    private func watchRequest(_ request: borrowing SIPMessage, _ flow: Flow) {
        let callID = request.callID.bytes
        let branch = flow.remote.port.bytes + request.topVia.branch.bytes
        if PingToken.isLikely(branch: request.topVia.branch), cause == nil, !isOwnMessage {
            require(
                PingToken(branch: request.topVia.branch, key: Scene.runKey) != nil && request.method == .options
                    && registeredFlows.contains(flow), "a ping goes where no device is registered")
            return
        }
        // A phone that has come back by a new connection is followed there.
        let isBack = registeredFlows.contains(flow) && branchTexts.contains(request.topVia.branch.bytes)
        switch request.method {
        case .cancel: require(isBack || branches.contains(branch), "a CANCEL goes where no INVITE went")
        case .ack:
            if let cause, cause.isRequest {
                require(cause.method == .ack && cause.hasToken, "an ACK is relayed for a stranger")
            } else {
                require(isBack || branches.contains(branch), "an ACK goes where no INVITE went")
            }
        default:
            if branches.contains(branch), cause == nil { break }
            watchForwarded(callID)
            branches.insert(branch)
            branchTexts.insert(request.topVia.branch.bytes)
        }
        require(isAllowed(flow.remote), "a request goes to an address where nobody is registered")
    }

    private func watchForwarded(_ callID: [UInt8]) {
        guard let cause, cause.isRequest, cause.method != .cancel else {
            let isDevices = callID.starts(with: Array("call-".utf8)) || callID.starts(with: Array("register-".utf8))
            if isOwnMessage || ownMessagesWait, !isDevices { admitted.insert(callID) }
            require(admitted.contains(callID), "a request goes on that was not let through")
            return
        }
        require(!cause.credentials.isEmpty || cause.hasToken, "a request is relayed for a stranger")
        if !cause.hasToken {
            require(!spent.contains(cause.credentials), "credentials were good for a second request")
        }
        self.cause?.forwarded += 1
        admitted.insert(callID)
    }

    // MARK: Responses

    private func watchResponse(_ response: borrowing SIPMessage, _ sent: Sent, _ now: Now) {
        let callID = response.callID.bytes
        require(
            responseFlows[callID]?.contains(sent.flow) ?? false, "a response goes where its request did not come from")
        if response.method == .register, response.status == 200, let cause {
            if !cause.credentials.isEmpty { registeredFlows.insert(cause.flow) }
            if !cause.credentials.isEmpty, !spent.contains(cause.credentials) {
                spend(cause)
                destinations.formUnion(cause.contacts)
            } else {
                require(!cause.credentials.isEmpty, "a stranger has registered")
            }
        }
        watchSize(sent)
        watchFinal(response, sent, now)
    }

    /// A stranger gets one answer, not much larger than what he sent: he may have written another's address as his.
    private func watchSize(_ sent: Sent) {
        guard let cause, cause.isRequest, cause.credentials.isEmpty, !cause.hasToken, !seen.contains(sent.bytes) else {
            return
        }
        if cause.method == .cancel, sent.flow != cause.flow { return }
        self.cause?.responses += 1
        require(self.cause?.responses ?? 0 <= 2, "a stranger gets more than one answer")
        require(
            sent.bytes.count <= cause.length + 320,
            "a stranger gets \(sent.bytes.count) bytes for \(cause.length)")
    }

    /// A server transaction has one final response; an INVITE may have several 2xx, those of its forks.
    private func watchFinal(_ response: borrowing SIPMessage, _ sent: Sent, _ now: Now) {
        guard response.status >= 200, response.method != .register, response.method != .cancel,
            !changed.contains(response.callID.bytes)
        else { return }
        // Our own challenges have no transaction, and differ each time.
        if response.status == 407, let value = response.value(of: .proxyAuthenticate),
            value.containsIgnoringCase("example.com")
        {
            return
        }
        // Nor have the refusals of who has guessed too often, and those under load: later the same request is let in.
        if response.status == 403 || isLoaded && response.status == 503, response.value(of: .retryAfter) != nil {
            return
        }
        let key = finalsKey(of: response)
        var known = finals[key]?[sent.flow] ?? Finals(at: now.instant)
        known.bytes.insert(sent.bytes)
        known.statuses.insert(response.status)
        known.at = now.instant
        finals[key, default: [:]][sent.flow] = known
        let isForked = response.method == .invite && known.statuses.allSatisfy { $0 < 300 }
        require(
            isForked || known.bytes.count == 1, "a request has got a second final response: \(known.statuses.sorted())")
    }

    // MARK: Records

    /// Each call has a beginning and one end or answer, rings once at most before that; each text is told once.
    func requireWholeRecords() {
        var begun = Set<RecordNumber>()
        var ringing = Set<RecordNumber>()
        var settled = Set<RecordNumber>()
        for change in records {
            switch change {
            case .callStarted(let number, let clientID, _, _, _):
                require(begun.insert(number).inserted, "a call has begun twice")
                require((1...3).contains(clientID), "a call of nobody")
            case .callRinging(let number, _):
                require(ringing.insert(number).inserted, "a call rings twice")
                require(begun.contains(number) && !settled.contains(number), "a call rings at the wrong time")
            case .callAnswered(let number, _, _), .callEnded(let number, _, _, _):
                require(settled.insert(number).inserted, "a call has ended twice")
                require(begun.contains(number), "a call has ended that has not begun")
            case .callHungUp(let number, _, _):
                require(begun.contains(number), "a call is hung up that has not begun")
            case .message(let number, _, _, _, _, _, let status, let reason):
                require(
                    begun.insert(number).inserted && settled.insert(number).inserted, "a text is told twice")
                require((200..<300).contains(status) == (reason == nil), "a text's reason does not fit its status")
            case .messageEnded(let number, _, let status, let reason):
                require(
                    ownRecords.contains(number) && settled.insert(number).inserted,
                    "a text of the server's own is told twice")
                require((200..<300).contains(status) == (reason == nil), "a text's reason does not fit its status")
            case .applicationCallStarted, .callClosed, .textStarted, .noted:
                require(false, "there is no application")
            }
        }
        require(settled == begun.union(ownRecords), "records have no end")
    }
}

extension UInt16 {
    fileprivate var bytes: [UInt8] { [UInt8(self >> 8), UInt8(self & 255)] }
}
