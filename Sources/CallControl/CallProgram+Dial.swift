import Observability
import Primitives

extension CallProgram {
    /// Begins the legs of a Dial.
    mutating func begin(_ dial: Dial, _ makeNumber: () -> RecordNumber) {
        let legs = dial.parties.map { party in
            DialRun.Leg(party: party, number: isFixed ? .none : makeNumber())
        }
        run = DialRun(dial: dial, first: legCount, startedAt: now, legs: legs)
        let ringing = min(max(dial.timeout, 1), patience)
        if legs.isEmpty || ringing == 0 {
            note(
                CallNotification.Code.dialNoun, .error,
                legs.isEmpty
                    ? "Dial names nobody who can be called, so it failed."
                    : "Dial was skipped: the caller has waited for an answer as long as a call can.")
            run?.legs = []
            finishDial(run?.failure)
            return
        }
        actions.append(.dial(dial, first: legCount, records: legs.map(\.number)))
        legCount += legs.count
        if !isFixed { lastLeg = legs.first?.number }
        patience -= ringing
        start(.ringing, milliseconds: UInt64(ringing) * 1000)
        state = .ringing
        for place in legs.indices { tell(.initiated, of: place) }
    }

    mutating func rings(_ leg: Int) {
        guard let place = run?.live(leg), run?.legs[place].didRing == false else { return }
        run?.legs[place].didRing = true
        tell(.ringing, of: place)
    }

    /// The first leg that answers is the one.
    mutating func answered(_ leg: Int) {
        guard let place = run?.live(leg) else { return }
        run?.winner = place
        run?.legs[place].answeredAt = now
        if !isFixed { lastLeg = run?.legs[place].number }
        stop(.ringing)
        endLegs(except: place, 487, nil)
        tell(.answered, of: place)
        if let address = run?.legs[place].party.screening { screen(address) } else { connect() }
    }

    mutating func connect() {
        guard let winner = run?.winner, let first = run?.first, let dial = run?.dial else { return }
        run?.legs[winner].connectedAt = now
        if !isAnswered {
            isAnswered = true
            answeredAt = now
        }
        lastRefusal = nil
        // Nobody waits any more: what comes after the talk has its own time.
        patience = CallProgram.longestWait
        actions.append(.connect(first + winner))
        start(.talk, milliseconds: UInt64(min(dial.timeLimit, settings.longestCall)) * 1000)
        state = .talking
        tell(status: "in-progress")
    }

    mutating func failed(_ leg: Int, _ status: UInt16, _ reason: Reason?) {
        guard let place = run?.live(leg) else { return }
        close(place, status, reason)
        guard let run, run.liveLegs.isEmpty else { return }
        finishDial(run.failure)
    }

    mutating func rangTooLong() {
        endLegs(except: nil, 408, .noAnswer)
        finishDial(run?.failure)
    }

    mutating func talkEnded(by leg: Int) {
        guard let run, let place = run.live(leg) else { return }
        close(place, 0, nil)
        finishDial(DialRun.Result(word: "completed", leg: place, refusal: nil))
    }

    mutating func talkedTooLong() {
        guard let winner = run?.winner else { return }
        endLegs(except: nil, 0, nil)
        finishDial(DialRun.Result(word: "completed", leg: winner, refusal: nil))
    }

    /// The dialled call is over: the action's document goes on, or the next verb.
    mutating func finishDial(_ result: DialRun.Result?) {
        stop(.ringing)
        stop(.talk)
        guard let run, let result else { return }
        if let refusal = result.refusal, !isAnswered { lastRefusal = refusal }
        let parameters = self.parameters(of: run, result)
        self.run = nil
        if let action = run.dial.action { fetch(action, .later, parameters) } else { state = .running }
    }

    /// What the action is told.
    func parameters(of run: DialRun, _ result: DialRun.Result) -> [Parameter] {
        let leg = result.leg.map { run.legs[$0] }
        var ringing: Int64 = 0
        var talk: Int64 = 0
        if let leg {
            ringing = CallTime.seconds(from: run.startedAt, to: leg.answeredAt ?? leg.endedAt ?? now)
            talk = leg.connectedAt.map { CallTime.seconds(from: $0, to: leg.endedAt ?? now) } ?? 0
        }
        var parameters = [
            Parameter("DialRingDuration", String(ringing)),
            Parameter("DialCallSid", leg.map { $0.number.sid(prefix: "CA") } ?? "null"),
            Parameter("DialCallStatus", result.word), Parameter("DialCallDuration", String(talk)),
        ]
        if let leg, leg.party.kind == .sip {
            let status = leg.answeredAt != nil ? 200 : leg.status
            if status >= 100 { parameters.append(Parameter("DialSipResponseCode", String(status))) }
        }
        return parameters
    }

    /// Ends legs that are under way, with this as what became of them.
    mutating func endLegs(except kept: Int?, _ status: UInt16, _ reason: Reason?) {
        guard let run else { return }
        let ending = run.legs.indices.filter { $0 != kept && run.legs[$0].isLive }
        if ending.isEmpty { return }
        actions.append(.endLegs(ending.map { $0 + run.first }))
        for place in ending { close(place, status, reason) }
    }

    /// A leg has ended.
    mutating func close(_ place: Int, _ status: UInt16, _ reason: Reason?) {
        run?.legs[place].isLive = false
        run?.legs[place].endedAt = now
        run?.legs[place].status = status
        run?.legs[place].reason = reason
        tell(.completed, of: place)
    }

    /// Tells a leg's status callback what it has asked for.
    private mutating func tell(_ state: LegState, of place: Int) {
        guard !isFixed, let run, let address = run.legs[place].party.statusCallback,
            run.legs[place].party.statusEvents.contains(state)
        else { return }
        let leg = run.legs[place]
        let seconds = leg.connectedAt.map { CallTime.seconds(from: $0, to: leg.endedAt ?? now) } ?? 0
        let word = leg.connectedAt != nil ? "completed" : DialRun.word(leg.status, leg.reason)
        actions.append(
            .tell(
                .legProgress(
                    state, of: facts(of: leg, of: run.dial), parent: facts.number, to: address, sequence: leg.told,
                    seconds: seconds, result: word, at: now)))
        self.run?.legs[place].told += 1
    }

    /// A leg as applications see it.
    func facts(of leg: DialRun.Leg, of dial: Dial) -> CallFacts {
        var result = facts
        result.number = leg.number
        result.from = dial.callerID ?? facts.from
        result.to = leg.party.name
        result.direction = .outboundDial
        return result
    }
}
