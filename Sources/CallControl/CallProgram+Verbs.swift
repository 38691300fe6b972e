import Observability
import Primitives

extension CallProgram {
    /// Runs the next verb of the call's document.
    mutating func runVerb(_ makeNumber: () -> RecordNumber) {
        guard verbs.indices.contains(nextVerb) else {
            ended()
            return
        }
        let verb = verbs[nextVerb]
        nextVerb += 1
        switch verb {
        case .dial(let dial):
            didSomething = true
            begin(dial, makeNumber)
        case .redirect(let address):
            didSomething = true
            fetch(address, .later)
        case .reject(let isBusy):
            if isAnswered {
                note(
                    CallNotification.Code.misplacedVerb, .warning,
                    "Reject comes after the call was answered: it hangs up. Use Hangup there.")
            }
            conclude(isBusy ? 486 : 603, isBusy ? .applicationBusy : .applicationRejected)
        case .hangUp:
            let refusal = lastRefusal ?? DialRun.Refusal(status: 603, reason: .applicationRejected)
            conclude(refusal.status, refusal.reason)
        case .pause(let seconds):
            didSomething = true
            if pause(seconds) { state = .pausing }
        case .sms(let sms):
            didSomething = true
            if let (action, parameters) = send(sms, makeNumber) { fetch(action, .later, parameters) }
        case .unsupported(let notification):
            actions.append(.note(notification))
        }
    }

    /// Starts a Pause; false when it takes no time.
    mutating func pause(_ seconds: UInt32) -> Bool {
        var length = seconds
        if length > patience {
            note(
                CallNotification.Code.pauseLength, .warning,
                "Pause of \(seconds) seconds became one of \(patience): the time of all that a call can wait is used up."
            )
            length = patience
        }
        patience -= length
        if length == 0 { return false }
        start(.pause, milliseconds: UInt64(length) * 1000)
        return true
    }

    /// The end of a document without Redirect, Reject or Hangup.
    private mutating func ended() {
        if let lastRefusal {
            conclude(lastRefusal.status, lastRefusal.reason)
        } else if didSomething {
            conclude(603, .applicationRejected)
        } else {
            if !isAnswered {
                note(
                    CallNotification.Code.malformed, .error,
                    "The document has no verb that this version can run, so the call was refused. "
                        + "Let it Dial, Redirect, Reject, Hangup, Pause or send an Sms.")
            }
            conclude(488, .documentWithoutAction)
        }
    }
}
