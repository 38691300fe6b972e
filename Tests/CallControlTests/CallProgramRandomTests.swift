import CallControl
import Observability
import Primitives
import Testing

/// Numbers that are the same at each run (SplitMix64).
private struct Seeded: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 31)
    }
}

/// What must hold of the actions of one call, whatever happens.
private struct Rules {
    var begun: Set<Int> = []
    /// Legs that the program was told the end of, or has ended.
    var ended: Set<Int> = []
    var timers: Set<CallTimer> = []
    var finals = 0
    var connected: Int?
    var isAnswered: Bool
    var documents = 0
    var isFinished = false
    var broken: [String] = []

    mutating func check(_ action: CallAction) {
        switch action {
        case .fetch:
            documents += 1
            if isFinished { broken.append("a document is asked after the end") }
        case .dial(let dial, let first, let records):
            if isFinished { broken.append("a leg begins after the end") }
            if first != begun.count || records.count != dial.parties.count { broken.append("legs are misnumbered") }
            for leg in first..<(first + records.count) { begun.insert(leg) }
        case .endLegs(let legs):
            for leg in legs {
                if !begun.contains(leg) || ended.contains(leg) { broken.append("leg \(leg) cannot be ended") }
                ended.insert(leg)
            }
            if legs.isEmpty { broken.append("no legs are ended") }
        case .connect(let leg):
            if isFinished || !begun.contains(leg) || ended.contains(leg) { broken.append("leg \(leg) is connected") }
            if !begun.subtracting(ended).subtracting([leg]).isEmpty { broken.append("others live at connect") }
            isAnswered = true
        case .reject:
            if isAnswered || isFinished { broken.append("a second answer") }
            isFinished = true
        case .hangUp:
            if !isAnswered || isFinished { broken.append("a hang-up without a call") }
            isFinished = true
        case .startTimer(let timer, let milliseconds):
            if !timers.insert(timer).inserted { broken.append("\(timer) starts twice") }
            if milliseconds == 0 || milliseconds > 86_400_000 { broken.append("\(timer) of \(milliseconds) ms") }
        case .stopTimer(let timer):
            if timers.remove(timer) == nil { broken.append("\(timer) is stopped twice") }
        case .tell, .send, .note: break
        }
    }

    /// What of an event counts.
    mutating func note(_ event: CallEvent) {
        switch event {
        case .legFailed(let leg, _, _), .legHungUp(let leg): if begun.contains(leg) { ended.insert(leg) }
        case .callerGone: isFinished = true
        case .timer(let timer): timers.remove(timer)
        default: break
        }
    }
}

@Suite("Thousands of calls at random")
struct CallProgramRandomTests {
    private static let verbs = [
        "<Dial>1</Dial>", "<Dial action='/a'><Client>a</Client><Number>2</Number></Dial>",
        "<Dial action='/a' timeout='1'><Client url='/s' statusCallback='/c'>a</Client><Client url='/s'>b</Client></Dial>",
        "<Pause/>", "<Pause length='0'/>", "<Redirect>/r</Redirect>", "<Sms>t</Sms>",
        "<Sms action='/x' statusCallback='/y'>t</Sms>", "<Say>x</Say>", "<Hangup/>", "<Reject/>", "<Dial/>", "<Bad/>",
    ]

    private func event(_ call: VirtualCall, _ legs: Int, _ random: inout Seeded) -> CallEvent {
        let leg = Int.random(in: -1...max(legs, 1), using: &random)
        switch Int.random(in: 0..<100, using: &random) {
        case 0..<35: return answer(call, &random)
        case 35..<42: return .legRings(leg)
        case 42..<60: return .legAnswered(leg)
        case 60..<70: return .legFailed(leg, status: UInt16.random(in: 0...700, using: &random), nil)
        case 70..<78: return .legHungUp(leg)
        case 78..<92: return .timer([.ringing, .talk, .pause, .deadline][Int.random(in: 0..<4, using: &random)])
        case 92..<95: return .textEnded(UInt32.random(in: 0...5, using: &random), status: 200, nil)
        case 95: return .ordered(.cancel)
        case 96: return .ordered(.redirect(WebAddress("http://app.example/o")))
        case 97: return .ordered(.complete)
        case 98: return .callerGone
        default: return .began
        }
    }

    private func answer(_ call: VirtualCall, _ random: inout Seeded) -> CallEvent {
        let id = Int.random(in: 0..<10, using: &random) == 0 ? 0 : call.asked?.id ?? 0
        if Int.random(in: 0..<8, using: &random) == 0 { return .fetched(id, CallProgramPairsTests.failure) }
        let verbs = (0..<Int.random(in: 0..<5, using: &random)).map { _ in
            // A Dial more often than the rest: there the states are.
            CallProgramRandomTests.parsed[
                Bool.random(using: &random)
                    ? Int.random(in: 0..<3, using: &random)
                    : Int.random(in: 0..<CallProgramRandomTests.parsed.count, using: &random)]
        }
        return .fetched(
            id,
            .document(RCMLDocument(url: "http://app.example/", verbs: verbs.flatMap(\.self)), headers: []))
    }

    private static let parsed: [[Verb]] = verbs.map { text in
        let document = try? RCMLDocument(
            parsing: Array("<Response>\(text)</Response>".utf8), contentType: nil, url: "http://app.example/")
        return document?.verbs ?? []
    }

    @Test(arguments: [UInt64(1), 2, 3, 4])
    func keepTheRules(_ seed: UInt64) {
        var random = Seeded(state: seed)
        var overs = 0
        var connects = 0
        for number in 0..<1_000 {
            var facts = VirtualCall.facts
            if number % 5 == 0 { facts.direction = .outboundAPI }
            var settings = CallProgram.Settings()
            settings.documents = 6
            var call = VirtualCall(
                VirtualCall.application(fallback: number % 2 == 0, status: number % 3 == 0), facts: facts,
                settings: settings)
            var rules = Rules(isAnswered: facts.direction == .outboundAPI)
            var history: [CallEvent] = []
            for step in 0..<60 {
                let event = step == 0 ? .began : event(call, rules.begun.count, &random)
                // What was stopped does not come, but for one that was on its way.
                if case .timer(let timer) = event, !rules.timers.contains(timer), step % 7 != 0 { continue }
                history.append(event)
                let wasOver = call.program.isOver
                rules.note(event)
                call.wait(Int64.random(in: -100...2_000, using: &random))
                let actions = call.take(event)
                if wasOver, !actions.isEmpty { rules.broken.append("something after the end") }
                for action in actions { rules.check(action) }
                if case .connect? = actions.last(where: { if case .connect = $0 { true } else { false } }) {
                    connects += 1
                }
                if call.program.isOver {
                    if !rules.timers.isEmpty { rules.broken.append("timers at the end: \(rules.timers)") }
                    if rules.begun != rules.ended { rules.broken.append("legs that live on") }
                    if !rules.isFinished { rules.broken.append("no end for the caller") }
                    if !wasOver { overs += 1 }
                } else if rules.isFinished, rules.begun != rules.ended {
                    rules.broken.append("legs that live on without a caller")
                }
                // Whatever is awaited ends by itself.
                if !call.program.isOver, rules.timers.isEmpty { rules.broken.append("nothing would end the wait") }
                if rules.documents > settings.documents { rules.broken.append("too many documents") }
                if !rules.broken.isEmpty { break }
            }
            #expect(rules.broken.isEmpty, "seed \(seed), call \(number): \(rules.broken) after \(history)")
            if !rules.broken.isEmpty { return }
        }
        // The walk is worth something: calls end, and some are connected.
        #expect(overs > 700)
        #expect(connects > 200)
    }
}
