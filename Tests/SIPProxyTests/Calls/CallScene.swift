import CallControl
import Observability
import Primitives
import Testing

@testable import SIPProxy

/// Phones around a server whose client alice has an application, which answers by a script, in virtual time.
///
/// The account 1 pays for everything; alice's application is at `http://app/voice`.
final class CallScene {
    let network: TestNetwork
    /// What each URL gives; one that is not here gives 404.
    var documents: [String: [Verb]] = [:]
    /// False leaves requests unanswered, as an application does that hangs.
    var isAnswering = true
    /// The requests for documents, in their order.
    private(set) var asked: [WebhookRequest] = []
    /// The callbacks, in their order.
    private(set) var told: [WebhookRequest] = []
    private var unanswered: [PendingWebhook] = []
    private var calls = 0
    private var requests = 0

    static let offer = "v=0\r\no=alice 1 1 IN IP4 198.51.100.1\r\ns=-\r\n"
    static let answer = "v=0\r\no=bob 2 2 IN IP4 198.51.100.2\r\ns=-\r\n"

    /// A server with these phones registered, and a document for alice's calls.
    init(
        _ devices: [Device] = [.alice, .bob], _ verbs: [Verb] = [.dial(.client("bob"))],
        _ change: (inout ServerSettings) -> Void = { _ in }
    ) {
        network = TestNetwork(change)
        for (id, login) in ["alice", "bob", "carol", "dave"].enumerated() {
            network.add(login, id: Int64(id + 1), hasApplication: login == "alice", accountID: 1)
        }
        setAccount(isActive: true)
        setApplication("http://app/voice")
        documents["http://app/voice"] = verbs
        for device in devices { network.register(device) }
        _ = network.takeRecords()
        _ = network.takeLog()
    }

    func setAccount(isActive: Bool) {
        network.directory.setAccount(1, AccountEntry(sid: "AC01", authToken: "token", isActive: isActive))
    }

    /// Gives alice an application, with or without a fallback.
    func setApplication(_ url: String, fallback: String? = nil) {
        var application = Application()
        application.voice = WebAddress(url)
        application.voiceFallback = fallback.map { WebAddress($0) }
        network.directory.setClient(Array("alice".utf8), ApplicationChoice(accountID: 1, own: application))
    }

    /// Gives a number an application; nil gives it nothing that answers.
    func setNumber(_ number: String, _ url: String?, statusCallback: String? = nil) {
        var application = Application()
        application.voice = url.map { WebAddress($0) }
        application.statusCallback = statusCallback.map { WebAddress($0) }
        network.directory.setNumber(Array(number.utf8), ApplicationChoice(accountID: 1, own: application))
    }

    // MARK: Events

    /// A call of a phone, which is in the same state as its INVITE: sent, with credentials.
    func call(
        from caller: Device = .alice, to callee: String = "anybody", body: String = CallScene.offer,
        _ change: (inout Request) -> Void = { _ in }
    ) -> PlacedCall {
        calls += 1
        let number = calls
        let request = network.signed(
            caller.request("INVITE", to: callee, branch: "z9hG4bK-invite-\(number)").with {
                $0.callID = "caller-call-\(number)"
                $0.body = body
                if !body.isEmpty { $0.headers.append("Content-Type: application/sdp") }
                change(&$0)
            })
        return PlacedCall(scene: self, invite: request, sent: send(request))
    }

    /// Hands the server a request; gives what it and its application bring about.
    @discardableResult
    func send(_ request: Request) -> [Sent] { settle(network.send(request)) }

    /// Hands the server a message as it is.
    func deliver(_ text: String, from flow: Flow) -> [Sent] { settle(network.send(text, from: flow)) }

    /// Answers a request of the server from where it was sent to.
    @discardableResult
    func answer(
        _ request: Sent?, _ status: Int, tag: String? = "to1", headers: [String] = [], body: String = ""
    ) -> [Sent] {
        guard let request else { return [] }
        var headers = headers
        if status > 100, status < 300, request.method == "INVITE", let number = request["CSeq"].first {
            // What a phone would do that is reached where its request was sent.
            headers.append("Contact: <sip:phone\(number)@\(request.flow.remote)>")
        }
        if !body.isEmpty { headers.append("Content-Type: application/sdp") }
        return settle(network.answer(request, status, tag: tag, headers: headers, body: body))
    }

    /// Lets time pass.
    @discardableResult
    func wait(milliseconds: UInt64, step: UInt64 = 50) -> [Sent] {
        var sent: [Sent] = []
        var left = milliseconds
        while left > 0 {
            let part = min(left, step)
            left -= part
            sent += settle(network.wait(milliseconds: part, step: part))
        }
        return sent
    }

    /// Carries out an order of the API.
    func order(_ number: RecordNumber, _ order: CallOrder) -> (result: OrderResult, sent: [Sent]) {
        let result = network.server.order(number, order, now: network.now, effects: &network.effects)
        return (result, settle(network.takeSent()))
    }

    /// Starts a call as the API does.
    func start(_ call: OutgoingCall) -> (reason: Reason?, sent: [Sent]) {
        let reason = network.server.startCall(call, now: network.now, effects: &network.effects)
        return (reason, settle(network.takeSent()))
    }

    /// Lets the application answer what it was asked while it hung.
    func answerAll() -> [Sent] {
        isAnswering = true
        let waiting = unanswered
        unanswered = []
        var sent: [Sent] = []
        for webhook in waiting { sent += respond(to: webhook) }
        return settle(sent)
    }

    /// The number of a request within a dialog that makes a branch of its own.
    func nextRequest() -> Int {
        requests += 1
        return requests
    }

    /// Lets the application answer until it has nothing to answer any more.
    private func settle(_ first: [Sent]) -> [Sent] {
        var sent = first
        while !network.effects.webhooks.isEmpty {
            let webhooks = network.effects.webhooks
            network.effects.webhooks = []
            for webhook in webhooks {
                guard webhook.isAnswerWanted else {
                    told.append(webhook.request)
                    continue
                }
                asked.append(webhook.request)
                if isAnswering { sent += respond(to: webhook) } else { unanswered.append(webhook) }
            }
        }
        return sent
    }

    private func respond(to webhook: PendingWebhook) -> [Sent] {
        let url = webhook.request.address.url
        let answer: WebhookAnswer
        if let verbs = documents[url] {
            answer = .document(RCMLDocument(url: url, verbs: verbs), headers: [])
        } else {
            answer = .failed(
                WebhookFailure(.status(404), CallNotification(21_402, .error, "There is nothing.", url: url)))
        }
        network.server.webhookAnswered(
            webhook.reference, webhook.request.id, answer, now: network.now, effects: &network.effects)
        return network.takeSent()
    }

    // MARK: What came of it

    /// The value of a parameter of a request.
    static func value(_ name: String, _ request: WebhookRequest?) -> String? {
        request?.parameters.first { $0.name == name }?.value
    }

    /// The values of a parameter of all callbacks, in their order.
    func toldValues(_ name: String) -> [String] { told.compactMap { CallScene.value(name, $0) } }

    /// Lets all timers run out, then expects that nothing is left anywhere.
    func expectNothingLeft(_ location: SourceLocation = #_sourceLocation) {
        wait(milliseconds: 400_000, step: 1000)
        #expect(network.isIdle, "\(network.server.tableSizes)", sourceLocation: location)
        #expect(network.server.requestsUnderWay == 0, sourceLocation: location)
        for login in ["alice", "bob", "carol", "dave"] {
            let share = login.withSlice { network.location.withClient($0) { $0.openTransactions } }
            #expect(share == 0, "\(login)", sourceLocation: location)
        }
    }
}

/// A call as its caller has begun it.
struct PlacedCall {
    let scene: CallScene
    let invite: Request
    /// What came of the INVITE at once.
    let sent: [Sent]

    /// The INVITEs of the legs.
    var legs: [Sent] { sent.requests("INVITE") }
    /// The INVITE of the first leg.
    var leg: Sent? { legs.first }

    /// The INVITE as this device got it.
    func leg(at device: Device) -> Sent? { sent.requests("INVITE").to(device).first }

    /// The caller's ACK for a 2xx.
    @discardableResult
    func acknowledge(_ response: Sent?, body: String = "") -> [Sent] {
        scene.send(
            request("ACK", after: response).with {
                $0.sequence = invite.sequence
                $0.body = body
                if !body.isEmpty { $0.headers.append("Content-Type: application/sdp") }
            })
    }

    /// The caller's ACK for a refusal.
    @discardableResult
    func acknowledgeRefusal(_ response: Sent?) -> [Sent] {
        guard let response else { return [] }
        return scene.send(invite.acknowledgement(of: response))
    }

    /// The caller gives up.
    func cancel() -> [Sent] { scene.send(invite.cancel) }

    /// A request of the caller in the dialog that a response has made.
    func request(_ method: String, sequence: Int = 2, after response: Sent?) -> Request {
        let number = scene.nextRequest()
        return invite.with {
            $0.method = method
            $0.sequence = sequence
            $0.branch = "z9hG4bK-\(method)-caller-\(number)"
            $0.requestURI = response?.contactURI ?? "sip:nobody@192.0.2.1"
            $0.toTag = response?.toTag
            $0.headers = []
            $0.body = ""
        }
    }

    /// A request of a callee in the dialog that its answer to this INVITE has made.
    func request(_ method: String, of leg: Sent?, from device: Device, tag: String = "to1", sequence: Int = 1)
        -> Request
    {
        let number = scene.nextRequest()
        return device.request(method, to: leg?.contactURI ?? "sip:nobody@192.0.2.1").with {
            $0.branch = "z9hG4bK-\(method)-callee-\(number)"
            $0.sequence = sequence
            $0.fromTag = tag
            $0.toTag = leg?.fromTag
            $0.callID = leg?["Call-ID"] ?? ""
        }
    }
}

extension Sent {
    /// The URI of Contact.
    var contactURI: String { String(self["Contact"].drop { $0 == "<" }.prefix { $0 != ">" }) }
    /// The tag of From.
    var fromTag: String? { parameter("tag", of: "From") }
}

extension Dial {
    /// A Dial of clients.
    static func client(_ logins: String...) -> Dial { Dial(logins.map { Party(.client, $0) }) }

    /// The same Dial, changed.
    func with(_ change: (inout Dial) -> Void) -> Dial {
        var dial = self
        change(&dial)
        return dial
    }
}
