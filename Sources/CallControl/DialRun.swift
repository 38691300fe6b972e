import Observability
import Primitives

/// One `Dial` that is under way: its legs, and what became of each.
struct DialRun: Sendable {
    /// One leg.
    struct Leg: Sendable {
        let party: Dial.Party
        let number: RecordNumber
        /// False once it has ended or was told to.
        var isLive = true
        var didRing = false
        var answeredAt: UnixTime?
        var connectedAt: UnixTime?
        var endedAt: UnixTime?
        /// The final status of one that never was connected.
        var status: UInt16 = 0
        var reason: Reason?
        /// How many its status callback was told.
        var told = 0
    }

    /// What the dialled call came to, as the action is told.
    struct Result: Sendable {
        /// The value of `DialCallStatus`.
        var word: String
        /// The leg that it is about, by its place in `legs`; nil for none.
        var leg: Int?
        /// The final answer that a caller gets who has none yet; nil when the leg was connected.
        var refusal: Refusal?
    }

    /// A final answer.
    struct Refusal: Sendable {
        var status: UInt16
        var reason: Reason
    }

    let dial: Dial
    /// The first leg's place among all legs of the call.
    let first: Int
    let startedAt: UnixTime
    var legs: [Leg]
    /// The leg that answered first.
    var winner: Int?

    /// The place in `legs` of a leg that is under way.
    func live(_ leg: Int) -> Int? {
        let place = leg - first
        return legs.indices.contains(place) && legs[place].isLive ? place : nil
    }

    /// Legs under way, by their places in the whole call.
    var liveLegs: [Int] { legs.indices.filter { legs[$0].isLive }.map { $0 + first } }

    /// What is left when no leg was connected: of all legs the best answer (RFC 3261 section 16.7, step 6).
    var failure: Result {
        guard let best = legs.indices.min(by: { rank(legs[$0].status) < rank(legs[$1].status) }) else {
            return Result(
                word: "failed", leg: nil, refusal: Refusal(status: 488, reason: .documentWithoutAction))
        }
        return failure(of: best)
    }

    /// What this leg failed with.
    func failure(of place: Int?) -> Result {
        guard let place, legs.indices.contains(place) else { return failure }
        let leg = legs[place]
        let isUnreachable = !leg.didRing && DialRun.isUnreachable(leg.reason)
        return Result(
            word: DialRun.word(leg.status, leg.reason), leg: isUnreachable ? nil : place,
            refusal: DialRun.refusal(leg.status, leg.reason))
    }

    private func rank(_ status: UInt16) -> Int {
        switch status {
        case 600...699: 0
        case 486: 1
        case 408, 480: 2
        case 400...499: 3
        default: 4
        }
    }

    /// The word for how a leg ended that was not connected.
    static func word(_ status: UInt16, _ reason: Reason?) -> String {
        if isUnreachable(reason) { return "failed" }
        return switch status {
        case 486, 600, 603: "busy"
        case 408, 480: "no-answer"
        case 487: "canceled"
        default: "failed"
        }
    }

    /// True when there was nobody to call.
    private static func isUnreachable(_ reason: Reason?) -> Bool {
        switch reason {
        case .calleeNotRegistered, .calleeUnknown, .noGateway, .clientDisabled: true
        default: false
        }
    }

    /// What a caller is told of a leg's failure. What only that leg's next hop can act on (redirects, challenges) is an
    /// error for the caller.
    private static func refusal(_ status: UInt16, _ reason: Reason?) -> Refusal {
        switch status {
        case 401, 407, ..<400, 700...: Refusal(status: 500, reason: reason ?? .calleeFailed)
        case 486, 600: Refusal(status: status, reason: reason ?? .calleeBusy)
        case 603: Refusal(status: status, reason: reason ?? .calleeDeclined)
        case 408, 480: Refusal(status: status, reason: reason ?? .noAnswer)
        default: Refusal(status: status, reason: reason ?? .calleeFailed)
        }
    }
}
