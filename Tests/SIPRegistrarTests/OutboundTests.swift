import Observability
import Primitives
import Testing

@testable import SIPRegistrar

/// RFC 5626 and RFC 6223 as registrar, and what becomes of a phone's old binding when it comes back another way.
@Suite struct OutboundTests {
    let server = Server()

    static let instance = "+sip.instance=\"<urn:uuid:00000000-0000-1000-8000-AABBCCDDEEFF>\""

    func flow(_ port: UInt16, connection: UInt64 = 0) -> Flow {
        Server.flow("203.0.113.9", port: port, connection: connection)
    }

    func phone(_ contact: String, cseq: Int = 1, _ change: (inout Phone) -> Void = { _ in }) -> Phone {
        var phone = Phone()
        phone.contacts = [contact]
        phone.cseq = cseq
        change(&phone)
        return phone
    }

    func outbound(_ number: Int, port: Int = 5060, cseq: Int = 1, headers: [String] = ["Supported: path, outbound"])
        -> Phone
    {
        phone("<sip:alice@10.0.0.7:\(port)>;reg-id=\(number);\(Self.instance)", cseq: cseq) {
            $0.headers = headers
            $0.callID = "flow-\(number)"
        }
    }

    func bindings() -> [Binding] { "alice".withSlice { server.locations.withClient($0) { $0.bindings } } ?? [] }

    // MARK: RFC 5626

    @Test func `A flow is granted with Require and Flow-Timer, over UDP as often as we would ping`() {
        let answer = server.register(outbound(1), from: flow(61000))
        #expect(answer.status == 200)
        #expect(answer.values("Require") == ["outbound"])
        #expect(answer.values("Flow-Timer") == ["25"])
        #expect(answer.values("Supported") == ["path, outbound"])
        #expect(answer.contacts.first?.contains(";reg-id=1") == true)
        #expect(
            server.register(outbound(2), from: flow(61000, connection: 9)).values("Flow-Timer") == ["120"])
    }

    @Test func `Two flows of one instance are two bindings, and each is replaced by its own return`() {
        _ = server.register(outbound(1), from: flow(61000, connection: 1))
        _ = server.register(outbound(2), from: flow(61001, connection: 2))
        #expect(bindings().count == 2)
        _ = server.register(outbound(1, port: 5999, cseq: 2), from: flow(61002, connection: 3))
        #expect(Set(bindings().map(\.flow.connection)) == [2, 3])
        #expect(bindings().first { $0.registrationID == 1 }?.replaced(flow(61000, connection: 1)) == true)
        #expect(bindings().first { $0.registrationID == 2 }?.replaced(flow(61000, connection: 1)) == false)
    }

    @Test(arguments: [[], ["Supported: path"], ["Supported: outbounds"]])
    func `Without the option tag a reg-id is ignored`(headers: [String]) {
        let answer = server.register(outbound(1, headers: headers), from: flow(61000))
        #expect(answer.status == 200)
        #expect(answer.values("Require").isEmpty && answer.values("Flow-Timer").isEmpty)
        _ = server.register(outbound(2, cseq: 2, headers: headers), from: flow(61001))
        #expect(bindings().count == 1, "one device has one binding")
    }

    @Test func `Outbound may be required of us`() {
        #expect(server.register(outbound(1, headers: ["Require: outbound"]), from: flow(61000)).status == 200)
    }

    @Test func `Two flows in one request are refused, as a phone sends each over itself`() {
        var phone = outbound(1)
        phone.contacts.append("<sip:alice@10.0.0.7:5070>;reg-id=2;\(Self.instance)")
        #expect(server.register(phone, from: flow(61000)).outcome == .refused(.badContact))
        #expect(bindings().isEmpty)
    }

    @Test(arguments: [
        ("<sip:edge.example.net;lr>", 439), ("<sip:edge.example.net;lr;ob>", 200),
        ("<sip:inner.example.net;lr>, <sip:edge.example.net;lr;ob>", 200),
        ("<sip:inner.example.net;lr;ob>, <sip:edge.example.net;lr>", 439),
    ])
    func `Behind a proxy a flow needs an edge that keeps it`(path: String, status: UInt16) {
        let answer = server.register(
            outbound(1, headers: ["Supported: path, outbound", "Path: \(path)"]), from: flow(61000))
        #expect(answer.status == status)
        #expect(answer.text.hasPrefix("SIP/2.0 \(status) \(status == 439 ? "First Hop Lacks Outbound Support" : "OK")"))
        #expect(bindings().count == (status == 200 ? 1 : 0))
    }

    @Test func `A second Via without Path says as well that we are not the first hop`() {
        let headers = ["Via: SIP/2.0/UDP 10.9.9.9;branch=z9hG4bKlower", "Supported: path, outbound"]
        #expect(server.register(outbound(1, headers: headers), from: flow(61000)).status == 439)
        // Without a flow it is nothing to refuse.
        let plain = phone("<sip:alice@10.0.0.7>") { $0.headers = headers }
        #expect(server.register(plain, from: flow(61000)).status == 200)
    }

    // MARK: RFC 6223

    @Test func `A phone that offers keepalives is told how often, in its 200 only`() {
        var text = ""
        for (via, expected) in [
            (";keep", ";keep=25"), (";keep=10", ";keep=10"), (";keeps", ";keeps"), ("", ""),
        ] {
            let request = Phone().signed(nonce: server.nonce()).replacing(";rport", with: ";rport\(via)")
            text = server.send(request, from: flow(61000)).text
            #expect(text.contains(";rport=61000\(expected);received"), "\(text)")
        }
        let challenge = server.send(Phone().request.replacing(";rport", with: ";rport;keep"), from: flow(61000))
        #expect(challenge.status == 401 && !challenge.text.contains("keep="))
        let stream = Phone().signed(nonce: server.nonce()).replacing(";rport", with: ";keep;rport")
        #expect(server.send(stream, from: flow(61000, connection: 4)).text.contains(";keep=120;rport"))
    }

    // MARK: Pain 8: stale contacts

    @Test func `A phone without instance-id that comes back by another port has one binding`() {
        _ = server.register(phone("<sip:alice@10.0.0.7:5060>"), from: flow(61000))
        _ = server.register(phone("<sip:alice@10.0.0.7:5062>", cseq: 3), from: flow(61001))
        #expect(server.targets() == ["sip:alice@10.0.0.7:5062"])
        let changes = server.register(phone("<sip:alice@10.0.0.7:5064>", cseq: 5), from: flow(61002)).registration
            .changes
        #expect(changes.count == 2, "the old key is deleted from the store")
        #expect(bindings().first?.replaced(flow(61001)) == true)
        #expect(bindings().first?.replaced(flow(61000)) == true)
    }

    @Test func `Two contacts by one flow, or of two devices, stay two`() {
        _ = server.register(phone("<sip:alice@10.0.0.7:5060>"), from: flow(61000))
        _ = server.register(phone("<sip:alice@10.0.0.7:5062>", cseq: 3), from: flow(61000))
        #expect(server.targets().count == 2)
        _ = server.register(phone("<sip:alice@10.0.0.8:5060>") { $0.callID = "other" }, from: flow(61003))
        #expect(server.targets().count == 3)
        // One Call-ID and several contacts in one request say of themselves what there is.
        _ = server.register(
            phone("<sip:alice@10.0.0.9:5060>", cseq: 9) { $0.contacts.append("<sip:alice@10.0.0.9:5061>") },
            from: flow(61009))
        #expect(server.targets().count == 5)
    }

    @Test func `A phone on UDP and TCP with one Call-ID keeps both`() {
        _ = server.register(phone("<sip:alice@10.0.0.7:5060>"), from: flow(61000))
        _ = server.register(phone("<sip:alice@10.0.0.7:5060;transport=tcp>", cseq: 3), from: flow(61001, connection: 4))
        #expect(server.targets().count == 2)
    }

    @Test func `After its connection was closed, the same program at the same address takes the old binding over`() {
        let agent = ["User-Agent: Phone/1"]
        let now = Now(instant: Instant(milliseconds: 1000), unix: server.now)
        _ = server.register(
            phone("<sip:alice@10.0.0.7:5060;transport=tcp>") { $0.headers = agent }, from: flow(1, connection: 1))
        let other = phone("<sip:alice@10.0.0.7:5070;transport=tcp>") {
            $0.headers = agent
            $0.callID = "after-a-restart"
        }
        _ = server.locations.connectionClosed(1, reconnectTime: 5000, now: now)
        _ = server.register(other, from: flow(2, connection: 2))
        #expect(bindings().map(\.flow.connection) == [2])
        // While the first is connected, it is another device.
        _ = server.register(
            phone("<sip:alice@10.0.0.7:5080;transport=tcp>") {
                $0.headers = agent
                $0.callID = "third"
            }, from: flow(3, connection: 3))
        #expect(bindings().count == 2)
    }

    @Test func `Of two phones of one program that lost their connections each finds its own binding again`() {
        let agent = ["User-Agent: Phone/1"]
        func device(_ number: Int, _ cseq: Int, callID: String? = nil) -> Phone {
            phone("<sip:alice@10.0.0.\(number):\(5060 + cseq);transport=tcp>", cseq: cseq) {
                $0.headers = agent
                $0.callID = callID ?? "phone-\(number)"
            }
        }
        _ = server.register(device(1, 1), from: flow(1, connection: 1))
        _ = server.register(device(2, 1), from: flow(2, connection: 2))
        let now = Now(instant: Instant(milliseconds: 1000), unix: server.now)
        for connection: UInt64 in [1, 2] {
            _ = server.locations.connectionClosed(connection, reconnectTime: 5000, now: now)
        }
        _ = server.register(device(2, 3), from: flow(3, connection: 3))
        let own = bindings().first { $0.flow.connection == 3 }
        #expect(own?.replaced(flow(2, connection: 2)) == true)
        #expect(own?.replaced(flow(1, connection: 1)) == false)
        // The first one comes back with a Call-ID that nobody knows: it gets a place, but no calls of before.
        _ = server.register(device(1, 3, callID: "new"), from: flow(4, connection: 4))
        #expect(bindings().map(\.flow.connection) == [4, 3])
        #expect(bindings().first?.replaced(flow(1, connection: 1)) == false)
    }

    @Test func `When the lost bindings of two devices are alike, neither is taken for a newcomer's`() {
        let agent = ["User-Agent: Phone/1"]
        let now = Now(instant: Instant(milliseconds: 1000), unix: server.now)
        for number: UInt64 in [1, 2, 3] {
            _ = server.register(
                phone("<sip:alice@10.0.0.\(number);transport=tcp>") {
                    $0.headers = agent
                    $0.callID = "phone-\(number)"
                }, from: flow(UInt16(number), connection: number))
            if number < 3 { _ = server.locations.connectionClosed(number, reconnectTime: 5000, now: now) }
            if number == 1 { server.wait(milliseconds: 1) }
        }
        #expect(bindings().map(\.flow.connection).filter { $0 != 0 } == [3])
    }

    @Test func `Two phones with the same contact and different Call-IDs do not inherit each other's flows`() {
        let home = flow(61000)
        let office = Server.flow("198.51.100.77", port: 5060)
        for round in 0..<3 {
            for (callID, flow) in [("home", home), ("office", office)] {
                _ = server.register(
                    phone("<sip:alice@192.168.1.10:5060>", cseq: 1 + round) { $0.callID = callID }, from: flow)
                #expect(bindings().map(\.flow) == [flow])
                #expect(bindings().first?.replaced(home) == false)
                #expect(bindings().first?.replaced(office) == false)
            }
        }
        _ = server.register(phone("<sip:alice@192.168.1.10:5060>", cseq: 9) { $0.callID = "office" }, from: flow(61004))
        #expect(bindings().first?.replaced(office) == true, "its own flow of before")
        #expect(bindings().first?.liveness.isShared == true)
    }

    // MARK: Pain 9: a connection that is closed

    @Test
    func `A closed connection takes its binding out of calls at once, and removes it after the time to come back`() {
        let now = Now(instant: Instant(milliseconds: 1000), unix: server.now)
        _ = server.register(phone("<sip:alice@10.0.0.7;transport=tcp>"), from: flow(61000, connection: 7))
        #expect(server.locations.connectionClosed(7, reconnectTime: 5000, now: now).isEmpty)
        #expect(server.targets().isEmpty)
        #expect("alice".withSlice { server.locations.isRegistered($0, now: server.now) }, "it may call meanwhile")
        #expect(server.locations.removeAbandoned(now: Instant(milliseconds: 5999)).isEmpty)
        #expect(server.locations.removeAbandoned(now: Instant(milliseconds: 6000)).count == 1)
        #expect(bindings().isEmpty)
        #expect(server.locations.removeAbandoned(now: Instant(milliseconds: 9000)).isEmpty)
    }

    @Test func `A phone that comes back in time keeps its binding, also when it loses the next connection`() {
        let contact = "<sip:alice@10.0.0.7;transport=tcp>"
        func close(_ connection: UInt64, at time: UInt64) {
            _ = server.locations.connectionClosed(
                connection, reconnectTime: 5000, now: Now(instant: Instant(milliseconds: time), unix: server.now))
        }
        _ = server.register(phone(contact), from: flow(61000, connection: 7))
        close(7, at: 1000)
        _ = server.register(phone(contact, cseq: 3), from: flow(61001, connection: 8))
        #expect(server.targets().count == 1)
        #expect(bindings().first?.replaced(flow(61000, connection: 7)) == true)
        close(8, at: 4000)
        #expect(
            server.locations.removeAbandoned(now: Instant(milliseconds: 6000)).isEmpty, "that was of the first loss")
        #expect(bindings().count == 1)
        #expect(server.locations.removeAbandoned(now: Instant(milliseconds: 9000)).count == 1)
    }

    @Test(arguments: [0, 5000])
    func `A binding with a Path outlives the connection that it was registered by`(reconnectTime: UInt64) {
        let contact = "<sip:alice@10.0.0.7;transport=tcp>"
        let now = Now(instant: Instant(milliseconds: 1000), unix: server.now)
        _ = server.register(
            phone(contact) { $0.headers = ["Path: <sip:192.0.2.99;transport=tcp;lr>"] },
            from: flow(61000, connection: 7))
        #expect(server.locations.connectionClosed(7, reconnectTime: reconnectTime, now: now).isEmpty)
        #expect(server.targets().count == 1)
        #expect(bindings().map(\.flow.connection) == [0])
        #expect(server.locations.removeAbandoned(now: Instant(milliseconds: 9000)).isEmpty)
        #expect(server.targets().count == 1)
    }

    @Test func `Without a time to come back it is gone at once; its sibling by another flow stays`() {
        _ = server.register(outbound(1), from: flow(61000, connection: 1))
        _ = server.register(outbound(2), from: flow(61001, connection: 2))
        let now = Now(instant: Instant(milliseconds: 1000), unix: server.now)
        #expect(server.locations.connectionClosed(1, reconnectTime: 0, now: now).count == 1)
        #expect(bindings().map(\.registrationID) == [2])
    }
}

extension String {
    /// The text with the first occurrence of a part replaced.
    fileprivate func replacing(_ part: String, with other: String) -> String {
        let pieces = split(separator: part, maxSplits: 1, omittingEmptySubsequences: false)
        return pieces.joined(separator: other)
    }
}
