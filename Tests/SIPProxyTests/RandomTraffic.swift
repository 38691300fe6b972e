import Primitives
import SIPMessage
import Testing

@testable import SIPProxy

/// Random traffic around a server, from a seed: requests, answers in odd orders, repetitions, CANCELs, failures, time.
///
/// It watches what the server sends, and expects of it what holds whatever happens.
struct RandomTraffic {
    private var random: SplitMix
    private let network: TestNetwork
    private let garbles: Bool
    private var number = 0
    /// The records of the texts that the server has sent by itself.
    private var sentByServer = Set<RecordNumber>()
    /// What devices have sent, to be sent again.
    private var requests: [Sending] = []
    private var answers: [(text: String, flow: Flow)] = []
    /// What the server has sent: requests to be answered, responses to be acknowledged.
    private var forwarded: [Sent] = []
    private var responses: [Sent] = []
    private var dialogs: [(response: Sent, invite: Request)] = []
    /// The final responses of each server transaction.
    private var finals: [String: Set<[UInt8]>] = [:]

    private struct Sending {
        var request: Request
        var at: Instant
    }

    private static let devices: [Device] = [
        .alice, .bob, .bobsDesk, .bobsLaptop, .carol, Device("dave", "2001:db8::4", listener: 3),
        Device("carol", "198.51.100.33", port: 5090, listener: 1),
    ]
    private static let statuses = [
        100, 100, 180, 180, 183, 199, 200, 200, 200, 202, 299, 302, 401, 404, 407, 408, 480, 486, 487, 491, 500, 503,
        503,
        600, 603, 699,
    ]

    /// Traffic of one seed; with `garbles`, bytes are changed on the way.
    init(seed: UInt64, garbles: Bool) {
        random = SplitMix(state: seed)
        self.garbles = garbles
        network = TestNetwork { if seed % 3 == 0 { $0.timerC = 40_000 } }
        for device in RandomTraffic.devices where !random.chance(5) {
            // Some are behind a name that is still to be resolved.
            let headers = random.chance(8) ? ["Path: <sip:edge.example;lr>", "Supported: path"] : []
            network.register(device, q: ["1", "0.5", "0.1"][random.below(3)], headers: headers)
        }
    }

    /// Runs so many random events, then lets all timers run out.
    mutating func run(steps: Int) {
        for _ in 0..<steps { step() }
        watch(network.wait(milliseconds: 300_000, step: 1000))
        #expect(network.isIdle, "\(network.server.tableSizes)")
        expectWholeRecords()
    }

    private mutating func step() {
        switch random.below(26) {
        case 0...3: begin()
        case 4: intrude()
        case 5: repeatRequest()
        case 6...11: answer()
        case 12: if let old = pick(answers) { receive(old.text, old.flow) }
        case 13, 14: cancel()
        case 15, 16: acknowledge()
        case 17, 18: continueDialog()
        case 19: watch(network.fail(pick(forwarded)))
        case 20: watch(network.bounce(pick(forwarded), length: random.below(700)))
        case 21: resolve()
        case 22: sendMessage()
        default: watch(network.wait(milliseconds: [10, 90, 600, 4_000, 35_000][random.below(5)], step: 90))
        }
    }

    // MARK: Events

    private mutating func begin() {
        number += 1
        let device = RandomTraffic.devices[random.below(RandomTraffic.devices.count)]
        let callee = ["alice", "bob", "bob", "carol", "dave"][random.below(5)]
        var request = device.request(
            ["INVITE", "INVITE", "INVITE", "MESSAGE", "OPTIONS", "SUBSCRIBE"][random.below(6)], to: callee)
        request.callID = "good-\(number)"
        request.branch = random.chance(20) ? "old\(number)" : "z9hG4bK\(number)"
        request.body = random.chance(2) ? "body" : ""
        if random.chance(10) { request.maxForwards = ["0", "1"][random.below(2)] }
        if random.chance(10) { request.headers = ["Max-Breadth: \(random.below(4))"] }
        request = network.signed(request)
        requests.append(Sending(request: request, at: network.now.instant))
        receive(request.text, device.flow)
    }

    /// A request that must not be forwarded: without credentials, with wrong ones, under another name, unregistered.
    private mutating func intrude() {
        number += 1
        let stranger = Device("mallory", "203.0.113.66")
        var request = (random.chance(2) ? stranger : .alice).request(
            ["INVITE", "MESSAGE", "BYE"][random.below(3)], to: "bob")
        request.callID = "bad-\(number)"
        request.branch = "z9hG4bK\(number)"
        switch random.below(4) {
        case 0: break
        case 1: request = network.signed(request, password: "guess\(number)")
        case 2:
            request.fromUser = "bob"
            request = request.signed(nonce: network.nonce(), login: "alice")
        default:
            // A route token of another call.
            request.toTag = "to1"
            if let dialog = pick(dialogs) {
                request.headers = dialog.response.values("Record-Route").map { "Route: \($0)" }
            }
        }
        receive(request.text, request.device.flow)
    }

    /// A text of the server's own.
    private mutating func sendMessage() {
        let record = network.server.nextRecordNumber(now: network.now)
        let callee = ["alice", "bob", "carol", "dave", "nobody"][random.below(5)]
        let (reason, sent) = network.sendMessage(from: "alice", to: callee, "hello", number: record)
        if reason == nil { sentByServer.insert(record) }
        watch(sent)
    }

    private mutating func repeatRequest() {
        guard let old = pick(requests) else { return }
        // A late repetition within a dialog is a new request to a server that has forgotten the first.
        let isFresh =
            network.now.instant.milliseconds(since: old.at) < 4_000 && old.request.device.flow.transport == .udp
        if old.request.toTag == nil || isFresh { receive(old.request.text, old.request.device.flow) }
    }

    private mutating func answer() {
        guard let request = random.chance(3) ? pick(forwarded) : forwarded.last else { return }
        let status = RandomTraffic.statuses[random.below(RandomTraffic.statuses.count)]
        let text = network.response(
            to: request, status, tag: status == 100 ? nil : "t\(random.below(3))", body: random.chance(4) ? "x" : "")
        answers.append((text, request.flow))
        receive(text, request.flow)
    }

    private mutating func cancel() {
        let invites = requests.filter { $0.request.method == "INVITE" }
        if let old = random.chance(2) ? invites.last : pick(invites) {
            receive(old.request.cancel.text, old.request.device.flow)
        }
    }

    private mutating func acknowledge() {
        guard let response = pick(responses), response["CSeq"].hasSuffix("INVITE"),
            let old = requests.first(where: {
                $0.request.callID == response["Call-ID"] && response["Via"].contains($0.request.branch)
            })
        else { return }
        receive(old.request.acknowledgement(of: response).text, old.request.device.flow)
    }

    private mutating func continueDialog() {
        guard let (response, invite) = pick(dialogs) else { return }
        number += 1
        var request = invite.with {
            $0.method = ["ACK", "BYE", "INFO", "INVITE"][random.below(4)]
            $0.toTag = response.toTag
            $0.branch = "z9hG4bK\(number)"
            $0.sequence = number
            $0.headers = response.values("Record-Route").reversed().map { "Route: \($0)" }
        }
        if random.chance(2), let device = RandomTraffic.devices.first(where: { $0.user == "bob" }) {
            request.device = device
            request.fromTag = response.toTag ?? ""
            request.toTag = invite.fromTag
            request.headers.reverse()
        }
        requests.append(Sending(request: request, at: network.now.instant))
        receive(request.text, request.device.flow)
    }

    private mutating func resolve() {
        guard !network.effects.resolutions.isEmpty else { return }
        let resolution = network.effects.resolutions.remove(at: random.below(network.effects.resolutions.count))
        let addresses = random.chance(3) ? [] : [Device.socket("203.0.113.5", 0).address]
        watch(network.resolved(resolution, addresses))
        if random.chance(4) { watch(network.resolved(resolution, addresses)) }
    }

    private mutating func receive(_ text: String, _ flow: Flow) {
        var bytes = Array(text.utf8)
        if garbles, random.chance(3) {
            for _ in 0...random.below(3) { bytes[random.below(bytes.count)] = UInt8(truncatingIfNeeded: random.next()) }
            if random.chance(4) { bytes.removeLast(random.below(bytes.count)) }
        }
        watch(network.send(bytes, from: flow))
    }

    // MARK: What must hold

    private mutating func watch(_ sent: [Sent]) {
        for message in sent {
            if !garbles { expectWellFormed(message) }
            if message.isRequest {
                let isHopByHop = message.method == "CANCEL" || message.method == "ACK"
                if !isHopByHop { forwarded.append(message) }
                // Nothing is ever forwarded for somebody who has not proved to be a registered client.
                if !garbles || !isHopByHop { #expect(!message["Call-ID"].hasPrefix("bad"), "\(message.text)") }
            } else {
                watchResponse(message)
            }
        }
        if forwarded.count > 60 { forwarded.removeFirst(20) }
    }

    private mutating func watchResponse(_ message: Sent) {
        responses.append(message)
        // Our own challenges are stateless and differ each time.
        if message.status < 200 || message["Proxy-Authenticate"].contains("example.com") { return }
        let isInvite = message["CSeq"].hasSuffix("INVITE")
        if isInvite, message.status < 300, let old = requests.first(where: { $0.request.callID == message["Call-ID"] })
        {
            dialogs.append((message, old.request))
        }
        // CANCEL is answered without state: 481 when it comes long after its INVITE.
        if garbles || message["CSeq"].hasSuffix("CANCEL") { return }
        let key = "\(message["Call-ID"]) \(message["CSeq"]) \(message.branch)"
        finals[key, default: []].insert(message.bytes)
        let statuses = Set((finals[key] ?? []).map { Sent(flow: message.flow, bytes: $0, origin: 0).status })
        // Several 2xx to an INVITE are those of its forks; all else has one final response.
        let isForked = isInvite && statuses.allSatisfy { $0 < 300 }
        #expect(isForked || finals[key]?.count == 1, "\(key): \(statuses)")
    }

    /// Each call has a beginning and one end or answer, rings once at most before that; each text is told once.
    private func expectWholeRecords() {
        var begun = Set<RecordNumber>()
        var ringing = Set<RecordNumber>()
        var settled = Set<RecordNumber>()
        for change in network.effects.records {
            switch change {
            case .callStarted(let number, let clientID, _, _, let callID):
                #expect(begun.insert(number).inserted)
                #expect((1...4).contains(clientID))
                if !garbles { #expect(callID.starts(with: Array("good".utf8))) }
            case .callRinging(let number, _):
                #expect(ringing.insert(number).inserted)
                #expect(begun.contains(number) && !settled.contains(number))
            case .callAnswered(let number, _, _), .callEnded(let number, _, _, _):
                #expect(settled.insert(number).inserted)
                #expect(begun.contains(number))
            case .callHungUp(let number, _, _): #expect(begun.contains(number))
            case .message(let number, _, _, _, _, _, let status, let reason):
                #expect(begun.insert(number).inserted && settled.insert(number).inserted)
                #expect((200..<300).contains(status) == (reason == nil))
            case .messageEnded(let number, _, let status, let reason):
                #expect(sentByServer.contains(number) && settled.insert(number).inserted)
                #expect((200..<300).contains(status) == (reason == nil))
            case .applicationCallStarted, .callClosed, .textStarted, .noted:
                Issue.record("no application is in this traffic: \(change)")
            }
        }
        #expect(settled == begun.union(sentByServer))
    }

    private func expectWellFormed(_ message: Sent) {
        var parsed = SIPMessage()
        let fault = message.bytes.withSlice { parsed.parse($0, isStream: true) }
        #expect(fault == nil && !message.bytes.isEmpty, "\(fault.map { "\($0)" } ?? "empty"): \(message.text)")
    }

    private mutating func pick<Element>(_ elements: [Element]) -> Element? {
        elements.isEmpty ? nil : elements[random.below(elements.count)]
    }
}

/// The SplitMix64 generator: the same numbers from the same seed.
struct SplitMix {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var value = state
        value = (value ^ value >> 30) &* 0xbf58_476d_1ce4_e5b9
        value = (value ^ value >> 27) &* 0x94d0_49bb_1331_11eb
        return value ^ value >> 31
    }

    mutating func below(_ limit: Int) -> Int { Int(next() % UInt64(max(1, limit))) }
    /// True one time in `count`.
    mutating func chance(_ count: Int) -> Bool { below(count) == 0 }
}
