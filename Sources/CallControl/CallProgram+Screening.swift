import Observability
import Primitives

/// The document of a noun's `url`: it runs on the callee who has answered, before the two are connected.
extension CallProgram {
    mutating func screen(_ address: WebAddress) { askScreening(address, []) }

    private mutating func askScreening(_ address: WebAddress, _ more: [Parameter]) {
        guard let run, let winner = run.winner else { return }
        let leg = facts(of: run.legs[winner], of: run.dial)
        var parameters = CallParameters.voice(leg, status: "in-progress")
        parameters.append(Parameter("ParentCallSid", facts.number.sid(prefix: "CA")))
        guard let request = request(address, parameters + more) else {
            refuseScreening(500, .applicationUnreachable)
            return
        }
        state = .screening(.fetching)
        start(.deadline, milliseconds: settings.deadline)
        actions.append(.fetch(request))
    }

    mutating func screeningCame(_ answer: WebhookAnswer) {
        stop(.deadline)
        switch answer {
        case .document(let document, _):
            for remark in document.remarks { actions.append(.note(remark)) }
            screeningVerbs = document.verbs
            nextScreeningVerb = 0
            state = .screening(.running)
        case .failed(let failure):
            actions.append(.note(failure.notification))
            refuseScreening(500, .applicationUnreachable)
        }
    }

    mutating func screeningTookTooLong() {
        noteDeadline()
        refuseScreening(504, .applicationTooSlow)
    }

    /// The callee is not connected: its leg ends, and the Dial has failed.
    private mutating func refuseScreening(_ status: UInt16, _ reason: Reason) {
        endLegs(except: nil, status, reason)
        finishDial(run?.failure(of: run?.winner))
    }

    /// The callee's leg ended while its document ran.
    mutating func leftScreening(_ leg: Int, _ status: UInt16, _ reason: Reason?) {
        guard let place = run?.live(leg) else { return }
        stop(.deadline)
        stop(.pause)
        close(place, status, reason)
        finishDial(run?.failure(of: place))
    }

    mutating func runScreeningVerb(_ makeNumber: () -> RecordNumber) {
        guard screeningVerbs.indices.contains(nextScreeningVerb) else {
            connect()
            return
        }
        let verb = screeningVerbs[nextScreeningVerb]
        nextScreeningVerb += 1
        switch verb {
        case .dial:
            note(
                CallNotification.Code.dialWithinDial, .warning,
                "Dial was skipped: the document of a noun's url runs on the callee, who cannot dial from there.")
        case .redirect(let address): askScreening(address, [])
        case .reject(let isBusy): refuseScreening(isBusy ? 486 : 603, isBusy ? .calleeBusy : .calleeDeclined)
        case .hangUp: refuseScreening(603, .calleeDeclined)
        case .pause(let seconds): if pause(seconds) { state = .screening(.pausing) }
        case .sms(let sms): if let (action, parameters) = send(sms, makeNumber) { askScreening(action, parameters) }
        case .unsupported(let notification): actions.append(.note(notification))
        }
    }
}
