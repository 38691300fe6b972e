import Observability
import Primitives

extension CallProgram {
    /// Ends the call from here: the caller gets this final answer, or is hung up when it was answered.
    mutating func conclude(_ status: UInt16, _ reason: Reason) {
        endLegs(except: nil, 487, nil)
        if isAnswered {
            actions.append(.hangUp)
            tell(status: "completed")
        } else {
            actions.append(.reject(status, reason))
            tell(status: CallProgram.word(status, reason))
        }
        finish()
    }

    /// The caller has gone. What became of a Dial is still told to its action, whose answer has no call to run on.
    mutating func callerLeft() {
        let wasNew = if case .new = state { true } else { false }
        if let run {
            let connected = run.winner.flatMap { run.legs[$0].connectedAt == nil ? nil : $0 }
            endLegs(except: nil, connected == nil ? 487 : 0, connected == nil ? .callCancelled : nil)
            if let action = run.dial.action, let run = self.run {
                let result =
                    connected.map { DialRun.Result(word: "completed", leg: $0) }
                    ?? DialRun.Result(word: "canceled", leg: run.winner ?? run.legs.indices.first)
                let parameters =
                    CallParameters.voice(
                        facts, status: isAnswered ? "completed" : "canceled",
                        outbound: lastLeg.map { $0.sid(prefix: "CA") }) + self.parameters(of: run, result)
                actions.append(
                    .tell(WebhookRequest(id: 0, address: action, parameters: parameters, secret: facts.authToken)))
            }
        }
        if !wasNew { tell(status: isAnswered ? "completed" : "canceled") }
        finish()
    }

    mutating func carryOut(_ order: CallOrder) {
        switch order {
        case .cancel:
            if !isAnswered { conclude(480, .endedByOrder) }
        case .complete:
            conclude(480, .endedByOrder)
        case .redirect(let address):
            isFixed = false
            if case .new = state {
                application.voice = address
                application.voiceFallback = nil
                return
            }
            endLegs(except: nil, 487, nil)
            stopTimers()
            run = nil
            lastRefusal = nil
            patience = CallProgram.longestWait
            firstAskedAt = now
            fetch(address, .later)
        }
    }

    private mutating func finish() {
        stopTimers()
        run = nil
        verbs = []
        texts = texts.filter { $0.value.callback != nil }
        if texts.isEmpty {
            state = .over
        } else {
            start(.deadline, milliseconds: CallProgram.longestSettling)
            state = .settling
        }
    }

    /// Milliseconds that a call which has ended waits for its texts to be delivered, to tell their callbacks.
    static let longestSettling: UInt64 = 60_000

    private mutating func stopTimers() {
        // In a fixed order, so that the same events give the same actions.
        for timer in [CallTimer.ringing, .talk, .pause, .deadline] { stop(timer) }
    }

    /// The word for the end of a call that was never answered.
    private static func word(_ status: UInt16, _ reason: Reason) -> String {
        switch (status, reason) {
        case (_, .endedByOrder): "canceled"
        case (486, _), (600, _): "busy"
        case (408, _), (480, _): "no-answer"
        default: "failed"
        }
    }
}
