import Observability
import Primitives
import SIPMessage
import Testing

@testable import SIPProxy

@Suite("A text of the server's own")
struct OutgoingMessageTests {
    let network = TestNetwork(.alice, .bob)
    private let number = RecordNumber(77)

    private func ended(_ status: UInt16, _ reason: Reason?, _ network: TestNetwork? = nil) -> [RecordChange] {
        let network = network ?? self.network
        return [.messageEnded(number: number, at: network.now.unix, status: status, reason: reason)]
    }

    @Test("It is a MESSAGE as a user agent sends it: one Via, no fault, the body as it is (RFC 3428)")
    func request() {
        let (reason, sent) = network.sendMessage(from: "%2B1201", to: "bob", "Grüße\r\n.")
        #expect(reason == nil)
        let message = sent.first
        #expect(sent.count == 1)
        #expect(message?.flow == Device.bob.flow)
        #expect(message?.startLine == "MESSAGE \(Device.bob.contact) SIP/2.0")
        #expect(message?.values("Via").count == 1)
        #expect(message?["Max-Forwards"] == "70")
        #expect(message?["From"].hasPrefix("<sip:%2B1201@example.com>;tag=") == true)
        #expect(message?["To"] == "<sip:bob@example.com>")
        #expect(message?["CSeq"] == "1 MESSAGE")
        #expect(message?["Content-Type"] == "text/plain;charset=UTF-8")
        #expect(message?.body == "Grüße\r\n.")
        #expect(message?["Content-Length"] == String("Grüße\r\n.".utf8.count))
        #expect(message?.values("Record-Route").isEmpty == true)
        var parsed = SIPMessage()
        #expect(message?.bytes.withSlice { parsed.parse($0, isStream: true) } == Fault?.none)
        network.answer(message, 200)
        network.expectNothingLeft()
    }

    @Test("Its 2xx ends its record, and nothing is sent to anybody", arguments: [200, 202])
    func delivered(_ status: Int) {
        let message = network.sendMessage().sent.first
        #expect(network.takeRecords().isEmpty)
        #expect(network.answer(message, 100, tag: nil).isEmpty)
        #expect(network.answer(message, status).isEmpty)
        #expect(network.takeRecords() == ended(UInt16(status), nil))
        #expect(network.takeLog().contains("message=\(number.sid(prefix: "SM"))"))
        #expect(network.answer(message, 200).isEmpty)
        network.expectNothingLeft()
        #expect(network.takeRecords().isEmpty)
    }

    @Test(
        "Its failure ends its record with the reason",
        arguments: [
            (486, 486, Reason.calleeBusy), (603, 603, .calleeDeclined), (407, 407, .calleeFailed),
            (500, 500, .calleeFailed), (503, 500, .calleeFailed),
        ] as [(Int, UInt16, Reason)])
    func failed(_ status: Int, _ told: UInt16, _ reason: Reason) {
        let message = network.sendMessage().sent.first
        #expect(network.answer(message, status).isEmpty)
        #expect(network.takeRecords() == ended(told, reason))
        #expect(network.isIdle || network.server.tableSizes.contexts == 0)
        network.expectNothingLeft()
    }

    @Test("It is repeated, and without any answer ends with 408")
    func timeout() {
        _ = network.sendMessage()
        let sent = network.wait(milliseconds: 31_900)
        #expect(sent.count > 5)
        #expect(Set(sent.map(\.summary)) == ["MESSAGE"])
        #expect(network.takeRecords().isEmpty)
        #expect(network.wait(milliseconds: 200).isEmpty)
        guard case .messageEnded(number, _, 408, .noAnswer)? = network.takeRecords().first else {
            Issue.record("no end")
            return
        }
        network.expectNothingLeft()
    }

    @Test("It goes to all devices at once, to those of a lower q later; the first 2xx is its end")
    func forked() {
        let network = TestNetwork(.alice, .bob, .bobsDesk)
        network.register(.bobsLaptop, q: "0.5")
        let first = network.sendMessage().sent
        #expect(first.count == 2)
        #expect(network.answer(first[0], 480).isEmpty)
        let second = network.answer(first[1], 486)
        #expect(second.to(.bobsLaptop).summaries == ["MESSAGE"])
        #expect(second.first?.body == "hello")
        network.answer(second.first, 200)
        #expect(network.takeRecords() == ended(200, nil, network))
        network.expectNothingLeft()
    }

    @Test("One device takes it while another is silent: delivered, and nothing is told later")
    func forkedHalf() {
        let network = TestNetwork(.alice, .bob, .bobsDesk)
        let sent = network.sendMessage().sent
        network.answer(sent.last, 200)
        #expect(network.takeRecords() == ended(200, nil, network))
        network.expectNothingLeft()
        #expect(network.takeRecords().isEmpty)
    }

    @Test("Where nobody can get it the reason comes at once, and nothing else")
    func noTarget() {
        #expect(network.sendMessage(to: "nobody").reason == .calleeUnknown)
        #expect(network.sendMessage(to: "carol").reason == .calleeNotRegistered)
        #expect(network.takeRecords().isEmpty)
        network.expectStateless()
    }

    @Test(
        "A user that could break out of its URI is not taken",
        arguments: ["", "bob\r\nX: y", "bob@elsewhere", "bob>", "a b", "%", "%4", "%zz", "bob:pw", "b\u{e4}", "\u{0}"])
    func users(_ user: String) {
        #expect(network.sendMessage(to: user).reason == .messageMalformed)
        #expect(network.sendMessage(from: user).reason == .messageMalformed)
        network.expectStateless()
    }

    @Test("A text that is too large is not sent")
    func tooLarge() {
        #expect(
            network.sendMessage(String(repeating: "x", count: 70_000)).reason == .messageTooLarge)
        network.expectStateless()
    }

    @Test("A device that cannot be reached ends it at once")
    func unreachable() {
        let message = network.sendMessage().sent.first
        network.fail(message)
        #expect(network.takeRecords() == ended(500, .contactUnreachable))
        network.expectNothingLeft()
    }

    @Test("It waits for the name of a contact as any request does")
    func resolution() {
        network.register(.carol, headers: ["Path: <sip:edge.example;lr>", "Supported: path"])
        #expect(network.sendMessage(to: "carol").sent.isEmpty)
        guard let resolution = network.effects.resolutions.first else {
            Issue.record("no name to resolve")
            return
        }
        let sent = network.resolved(resolution, [Device.socket("203.0.113.5", 0).address])
        #expect(sent.summaries == ["MESSAGE"])
        #expect(sent.first?.values("Via").count == 1)
        network.answer(sent.first, 200)
        #expect(network.takeRecords() == ended(200, nil))
        network.sendMessage(to: "carol").sent.forEach { _ in }
        network.wait(milliseconds: 6_000)
        guard case .messageEnded(_, _, 500, .contactUnreachable)? = network.takeRecords().first else {
            Issue.record("no end")
            return
        }
        network.expectNothingLeft()
    }

    @Test("Two texts have different Call-IDs and tags")
    func identifiers() {
        let first = network.sendMessage(number: RecordNumber(1)).sent.first
        let second = network.sendMessage(number: RecordNumber(2)).sent.first
        #expect(first?["Call-ID"] != second?["Call-ID"])
        #expect(first?["From"] != second?["From"])
        network.expectNothingLeft()
    }
}
