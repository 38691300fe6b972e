import CallControl
import Primitives
import SIPMessage
import Testing

@testable import SIPProxy

/// Many calls of alice through her application, over a network that delays, repeats and loses, with phones that answer,
/// refuse, cancel, change sessions and hang up when chance wants.
final class RandomCalls {
    let scene: CallScene
    fileprivate var random: SplitMix
    /// What is to happen, by the time in steps.
    private var events: [UInt64: [() -> Void]] = [:]
    private var step: UInt64 = 0
    private var agents: [String: RandomAgent] = [:]
    private(set) var callers: [RandomCaller] = []
    private(set) var callees: [RandomCallee] = []
    /// How often each of the states that matter was seen, so that a run shows that it has met them.
    var seen: [String: Int] = [:]

    static let stepLength: UInt64 = 50

    /// Phones of bob, of whom two have UDP, and carol, who has TCP.
    init(seed: UInt64) {
        random = SplitMix(state: seed)
        func dial(_ logins: String...) -> Verb {
            var dial = Dial(logins.map { Dial.Party(.client, $0) })
            dial.timeout = 6
            dial.timeLimit = 15
            return .dial(dial)
        }
        let documents: [[Verb]] = [
            [dial("bob")], [dial("bob", "carol")], [dial("carol"), dial("bob")], [dial("dave"), dial("bob", "carol")],
            [.pause(seconds: 1), dial("bob"), .reject(isBusy: true)],
        ]
        scene = CallScene([.alice, .bob, .bobsDesk, .carol], documents[Int(seed % 5)]) {
            $0.maxTransactionsPerClient = 100_000
        }
    }

    /// Begins so many calls, one after the other, and lets all end.
    func run(calls: Int) {
        for number in 0..<calls {
            after(milliseconds: UInt64(number) * 50) { self.begin(number) }
        }
        // The longest that the server is silent and yet has something to say.
        var idle = 0
        while idle < 800 {
            idle = events.isEmpty ? idle + 1 : 0
            for event in events.removeValue(forKey: step) ?? [] { event() }
            dispatch(scene.wait(milliseconds: RandomCalls.stepLength, step: RandomCalls.stepLength))
            step += 1
        }
    }

    private func begin(_ number: Int) {
        let caller = RandomCaller(
            self,
            scene.network.signed(
                Device.alice.request("INVITE", to: "anybody", branch: "z9hG4bK-random-\(number)").with {
                    $0.callID = "random-\(number)"
                    $0.fromTag = "caller-\(number)"
                    if !random.chance(4) {
                        $0.body = CallScene.offer
                        $0.headers.append("Content-Type: application/sdp")
                    }
                }))
        callers.append(caller)
        agents[RandomCalls.key(Device.alice.flow, caller.invite.callID)] = caller
        caller.start()
    }

    private static func key(_ flow: Flow, _ callID: String) -> String { "\(flow.remote) \(callID)" }

    // MARK: The network

    func below(_ limit: Int) -> Int { random.below(limit) }
    func chance(_ one: Int) -> Bool { random.chance(one) }

    func after(milliseconds: UInt64, _ event: @escaping () -> Void) {
        events[step + 1 + milliseconds / RandomCalls.stepLength, default: []].append(event)
    }

    /// Sends a message of a phone: it may come late, twice, or not at all.
    func send(_ text: String, from flow: Flow) {
        let copies = flow.transport.isReliable ? 1 : chance(10) ? 0 : chance(20) ? 2 : 1
        for _ in 0..<copies {
            // A connection keeps the order.
            after(milliseconds: flow.transport.isReliable ? 50 : UInt64(below(6)) * 50) {
                self.dispatch(self.scene.deliver(text, from: flow))
            }
        }
    }

    /// Sends a message again and again, as a transaction or a 2xx does, while that is wanted.
    func send(_ text: String, from flow: Flow, whileTrue condition: @escaping () -> Bool) {
        send(text, from: flow)
        for time: UInt64 in [500, 1500, 3500, 7500, 11500, 15500, 19500, 23500, 27500, 31500] {
            after(milliseconds: time) { if condition() { self.send(text, from: flow) } }
        }
    }

    private func dispatch(_ sent: [Sent]) {
        for message in sent {
            let isReliable = message.flow.transport.isReliable
            let copies = isReliable ? 1 : chance(10) ? 0 : 1
            for _ in 0..<copies {
                after(milliseconds: isReliable ? 50 : UInt64(below(6)) * 50) { self.deliver(message) }
            }
        }
    }

    private func deliver(_ message: Sent) {
        let key = RandomCalls.key(message.flow, message["Call-ID"])
        if let agent = agents[key] {
            message.isRequest ? agent.receive(request: message) : agent.receive(response: message)
        } else if message.method == "INVITE", message.toTag == nil {
            let callee = RandomCallee(self, message)
            callees.append(callee)
            agents[key] = callee
            callee.start()
        }
    }

    // MARK: What must hold

    /// Expects of all calls what holds whatever happens.
    func expectRules() {
        for caller in callers {
            #expect(caller.finals.count == 1, "\(caller.invite.callID): \(caller.finals)")
            #expect(!caller.isTalking, "\(caller.invite.callID) is not hung up")
        }
        for callee in callees {
            #expect(!callee.isUnacknowledged, "a 2xx without ACK: \(callee.description)")
            #expect(!callee.isTalking, "not hung up: \(callee.description)")
        }
        scene.expectNothingLeft()
    }
}

/// One end of one call.
class RandomAgent {
    unowned let world: RandomCalls
    let flow: Flow
    /// In a call that was not hung up.
    var isTalking = false
    /// Has sent BYE, and waits for its answer.
    var isHangingUp = false
    private var answered: [String: String] = [:]
    private var pending: Set<String> = []

    init(_ world: RandomCalls, _ flow: Flow) {
        self.world = world
        self.flow = flow
    }

    /// A request in the dialog.
    func request(_ method: String, _ sequence: Int) -> Request? { nil }

    func receive(request: Sent) {
        let key = request.branch + request.method
        if let again = answered[key] {
            world.send(again, from: flow)
            return
        }
        switch request.method {
        case "BYE":
            if isTalking { world.seen["hung up by the server", default: 0] += 1 }
            isTalking = false
            reply(to: request, 200, key)
        case "INVITE": receiveSession(request, key)
        default: break
        }
    }

    func receive(response: Sent) {}

    /// A re-INVITE.
    private func receiveSession(_ request: Sent, _ key: String) {
        if !isTalking || world.chance(6) {
            world.seen["session refused", default: 0] += 1
            reply(to: request, isTalking ? 491 : 481, key)
            return
        }
        let text = world.scene.network.response(
            to: request, 200, tag: nil,
            headers: ["Contact: <sip:again@\(flow.remote)>", "Content-Type: application/sdp"], body: CallScene.answer)
        answered[key] = text
        let sequence = request["CSeq"].split(separator: " ").first.map(String.init) ?? ""
        pending.insert(sequence)
        world.seen["session taken", default: 0] += 1
        world.send(text, from: flow) { self.pending.contains(sequence) }
    }

    /// True while a 2xx to a re-INVITE has no ACK.
    var hasPendingSession: Bool { !pending.isEmpty }

    func acknowledged(_ request: Sent) {
        pending.remove(request["CSeq"].split(separator: " ").first.map(String.init) ?? "")
    }

    private func reply(to request: Sent, _ status: Int, _ key: String) {
        let text = world.scene.network.response(to: request, status, tag: nil)
        answered[key] = text
        world.send(text, from: flow)
    }

    /// Hangs up, again and again until there is an answer.
    func hangUp(_ sequence: Int) {
        guard isTalking, let bye = request("BYE", sequence) else { return }
        isTalking = false
        isHangingUp = true
        world.seen["hung up by a phone", default: 0] += 1
        world.send(bye.text, from: flow) { self.isHangingUp }
    }

    /// Changes the session.
    func change(_ sequence: Int) {
        guard isTalking, let invite = request("INVITE", sequence) else { return }
        var isOpen = true
        sessionEnded = { isOpen = false }
        world.seen["session changed by a phone", default: 0] += 1
        world.send(
            invite.with {
                $0.body = CallScene.offer
                $0.headers.append("Content-Type: application/sdp")
            }.text, from: flow
        ) { isOpen }
    }

    var sessionEnded: () -> Void = {}

    /// Takes an answer to a request in the dialog; gives back the ACK that it needs.
    func receiveInDialog(_ response: Sent) {
        let words = response["CSeq"].split(separator: " ").map(String.init)
        guard words.count == 2, let sequence = Int(words[0]) else { return }
        if words[1] == "BYE", response.status >= 200 { isHangingUp = false }
        guard words[1] == "INVITE", response.status >= 200, let invite = request("INVITE", sequence) else { return }
        sessionEnded()
        world.send(
            (response.status < 300 ? request("ACK", sequence) : invite.acknowledgement(of: response))?.text ?? "",
            from: flow)
    }
}

/// Alice in one call.
final class RandomCaller: RandomAgent {
    let invite: Request
    /// The final answers that came, each once.
    private(set) var finals: Set<String> = []
    private var isHeard = false
    private var isCancelling = false
    private var answer: Sent?

    init(_ world: RandomCalls, _ invite: Request) {
        self.invite = invite
        super.init(world, Device.alice.flow)
    }

    func start() {
        world.send(invite.text, from: flow) { !self.isHeard }
        guard world.chance(3) else { return }
        world.after(milliseconds: UInt64(world.below(160)) * 50) { self.cancel() }
    }

    private func cancel() {
        guard isHeard, finals.isEmpty else { return }
        isCancelling = true
        world.seen["cancelled", default: 0] += 1
        world.send(invite.cancel.text, from: flow) { self.isCancelling }
    }

    override func receive(response: Sent) {
        let sequence = response["CSeq"]
        if sequence.hasSuffix("CANCEL") { isCancelling = false }
        guard sequence == "1 INVITE" else {
            receiveInDialog(response)
            return
        }
        isHeard = true
        if response.status < 200 { return }
        finals.insert("\(response.status) \(response.toTag ?? "")")
        if response.status >= 300 {
            world.send(invite.acknowledgement(of: response).text, from: flow)
            return
        }
        let isFirst = answer == nil
        answer = response
        if isFirst {
            if isCancelling { world.seen["answered though cancelled", default: 0] += 1 }
            isTalking = true
            if world.chance(3) { world.after(milliseconds: UInt64(world.below(100)) * 50) { self.hangUp(9) } }
            if world.chance(3) { world.after(milliseconds: UInt64(world.below(60)) * 50) { self.change(5) } }
        }
        // Each 2xx gets its ACK.
        if let acknowledgement = request("ACK", 1) {
            world.send(acknowledgement.with { if invite.body.isEmpty { $0.body = CallScene.answer } }.text, from: flow)
        }
    }

    override func receive(request: Sent) {
        if request.method == "ACK" { acknowledged(request) } else { super.receive(request: request) }
    }

    override func request(_ method: String, _ sequence: Int) -> Request? {
        guard let answer else { return nil }
        return invite.with {
            $0.method = method
            $0.sequence = sequence
            $0.branch = "z9hG4bK-\(invite.callID)-\(sequence)\(method == "ACK" ? "-ack" : "")"
            $0.requestURI = answer.contactURI
            $0.toTag = answer.toTag
            $0.headers = []
            $0.body = ""
        }
    }
}

/// A callee's phone in one call.
final class RandomCallee: RandomAgent, CustomStringConvertible {
    private let invite: Sent
    private let tag: String
    private var final = 0
    private var isAcknowledged = false
    private var isCancelled = false

    init(_ world: RandomCalls, _ invite: Sent) {
        self.invite = invite
        tag = "callee-\(world.callees.count)"
        super.init(world, invite.flow)
    }

    /// Its 2xx was never acknowledged.
    var isUnacknowledged: Bool { final == 200 && !isAcknowledged || hasPendingSession }
    var description: String { "\(flow.remote) \(invite["Call-ID"]) \(final)" }

    func start() {
        if !world.chance(4) { answer(180) }
        let plan = world.below(8)
        // Nobody at home: the ringing ends.
        if plan == 0 { return }
        world.after(milliseconds: UInt64(world.below(130)) * 50) { self.decide(plan == 1 ? 486 : 200) }
    }

    private func decide(_ status: Int) {
        guard final == 0 else { return }
        final = status
        let text = self.text(status)
        world.send(text, from: flow) { !self.isAcknowledged }
        guard status == 200 else { return }
        world.seen[isCancelled ? "answered though cancelled by us" : "answered", default: 0] += 1
        isTalking = true
        if world.chance(3) { world.after(milliseconds: UInt64(world.below(100)) * 50) { self.acknowledgedHangUp() } }
        if world.chance(3) { world.after(milliseconds: UInt64(world.below(60)) * 50) { self.acknowledgedChange() } }
    }

    /// 15: not before the ACK has come.
    private func acknowledgedHangUp() { if isAcknowledged { hangUp(9) } }
    private func acknowledgedChange() { if isAcknowledged { change(5) } }

    private func text(_ status: Int) -> String {
        var headers: [String] = []
        if status == 200 { headers = ["Contact: <sip:callee@\(flow.remote)>", "Content-Type: application/sdp"] }
        return world.scene.network.response(
            to: invite, status, tag: tag, headers: headers, body: status == 200 ? CallScene.answer : "")
    }

    private func answer(_ status: Int) { world.send(text(status), from: flow) }

    override func receive(request: Sent) {
        switch request.method {
        case "INVITE" where request.toTag == nil:
            // Again: the last answer was lost, or none was given.
            world.send(text(final == 0 ? 180 : final), from: flow)
        case "CANCEL":
            world.send(world.scene.network.response(to: request, 200, tag: tag), from: flow)
            isCancelled = true
            // What it is about to answer may win the race.
            if !world.chance(3) { decide(487) }
        case "ACK":
            if request["CSeq"] == "1 ACK" { isAcknowledged = true }
            acknowledged(request)
        default: super.receive(request: request)
        }
    }

    override func receive(response: Sent) { receiveInDialog(response) }

    override func request(_ method: String, _ sequence: Int) -> Request? {
        let device = [Device.bob, .bobsDesk, .carol].first { $0.flow == flow } ?? .bob
        return device.request(method, to: invite.contactURI).with {
            $0.branch = "z9hG4bK-\(tag)-\(sequence)\(method == "ACK" ? "-ack" : "")"
            $0.sequence = sequence
            $0.fromTag = tag
            $0.toTag = invite.fromTag
            $0.callID = invite["Call-ID"]
        }
    }
}
