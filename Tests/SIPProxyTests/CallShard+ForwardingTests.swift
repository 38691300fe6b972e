import Primitives
import SIPMessage
import Testing

@testable import SIPProxy

@Suite("Request forwarding (RFC 3261 16.6)")
struct ForwardingTests {
    let network = TestNetwork(.alice, .bob, .carol)

    private func forwarded(_ change: (inout Request) -> Void = { _ in }) -> Sent? { Call(network, change).first }

    @Test("16.6 step 1: what we do not know goes on as it came, the body byte for byte")
    func copy() {
        let body = "v=0\r\no=- 1 1 IN IP4 10.0.0.1\r\n\r\n\u{0}\u{7f}\u{e9} the end"
        let invite = forwarded {
            $0.headers = ["X-Unknown:  as  it came ", "s: short", "Supported: timer,\r\n 100rel"]
            $0.body = body
        }
        #expect(
            invite?.text.contains("X-Unknown:  as  it came \r\ns: short\r\nSupported: timer,\r\n 100rel\r\n") == true)
        #expect(invite?.bytes.suffix(body.utf8.count) == ArraySlice(body.utf8))
        network.expectNothingLeft()
    }

    @Test("16.6 step 2: the Request-URI is the contact as it was registered")
    func requestURI() {
        network.register(.bobsDesk, contact: "sip:bob@10.0.0.7:5062;ob;x=y")
        let call = Call(network)
        #expect(call.at(.bobsDesk)?.requestURI == "sip:bob@10.0.0.7:5062;ob;x=y")
        #expect(call.at(.bob)?.requestURI == Device.bob.contact)
        network.expectNothingLeft()
    }

    @Test(
        "A request at the limit of headers is cancelled and answered whole, though it has more of them then (fuzzing)")
    func headersAtTheLimit() {
        let count = SIPMessage.headerCapacity - 9
        let invite = network.signed(
            Device.alice.request("INVITE", to: "bob").with {
                $0.headers = (0..<count).map { "X-\($0): 1" }
            })
        // The essential ones last, where they would be the first to be lost.
        let moved = ["Call-ID: call-1\r\n", "CSeq: 1 INVITE\r\n"]
        let start = moved.reduce(invite.text) { text, line in
            text.split(separator: line, maxSplits: 1, omittingEmptySubsequences: false).joined()
        }
        let text = start.split(separator: "Content-Length: 0", maxSplits: 1).first.map(String.init) ?? ""
        let sent = network.send(text + "Content-Length: 0\r\n" + moved.joined() + "\r\n", from: Device.alice.flow)
        let forwarded = sent.requests("INVITE").first
        #expect(forwarded?.lines.count ?? 0 > SIPMessage.headerCapacity)
        network.answer(forwarded, 180)
        let cancelled = network.send(invite.cancel)
        #expect(cancelled.requests("CANCEL").first?["Call-ID"] == "call-1")
        network.answer(forwarded, 603)
        let refusal = network.fail(forwarded)
        #expect(refusal.isEmpty)
        network.expectNothingLeft()
    }

    @Test("16.6 step 3: Max-Forwards is one less, and 70 where there was none")
    func maxForwards() {
        #expect(forwarded { $0.maxForwards = "7" }?.values("Max-Forwards") == ["6"])
        #expect(
            forwarded {
                $0.maxForwards = nil
                $0.callID = "2"
                $0.branch = "z9hG4bK2"
            }?.values("Max-Forwards") == ["70"])
        network.expectNothingLeft()
    }

    @Test("16.6 step 4: Record-Route names the listener, once when both parties use the same one")
    func recordRoute() {
        let values = forwarded()?.values("Record-Route") ?? []
        #expect(values.count == 1)
        #expect(values.first?.hasPrefix("<sip:rc") == true)
        #expect(values.first?.hasSuffix("@192.0.2.1:5060;lr>") == true)
        network.expectNothingLeft()
    }

    @Test("16.6 step 4 and RFC 5658: two Record-Routes where the transports differ, the callee's on top")
    func doubleRecordRoute() {
        let values = Call(network, to: "carol").first?.values("Record-Route") ?? []
        #expect(values.count == 2)
        #expect(values.first?.hasSuffix("@192.0.2.1:5060;transport=tcp;lr>") == true)
        #expect(values.last?.hasSuffix("@192.0.2.1:5060;lr>") == true)
        network.expectNothingLeft()
    }

    @Test("16.6 step 4: Record-Route stands above those of earlier proxies")
    func recordRouteOrder() {
        let values = forwarded { $0.headers = ["Record-Route: <sip:192.0.2.99;lr>"] }?.values("Record-Route") ?? []
        #expect(values.count == 2)
        #expect(values.last == "<sip:192.0.2.99;lr>")
        network.expectNothingLeft()
    }

    @Test(
        "16.6 step 4: only a request that can begin a dialog records the route",
        arguments: [("SUBSCRIBE", 1), ("REFER", 1), ("MESSAGE", 0), ("OPTIONS", 0), ("PUBLISH", 0), ("FOO", 0)])
    func recordRouteMethods(_ method: String, _ count: Int) {
        let sent = network.sendSigned(Device.alice.request(method, to: "bob"))
        #expect(sent.summaries == [method])
        #expect(sent.first?.values("Record-Route").count == count)
        network.expectNothingLeft()
    }

    @Test("16.6 step 6 and RFC 3327 5.3: Path becomes Route, and the request goes to its first address")
    func path() {
        network.register(
            .bobsDesk, headers: ["Path: <sip:203.0.113.5:5062;lr>, <sip:203.0.113.6;lr>", "Supported: path"])
        let call = Call(network)
        let desk = call.forwarded.first { $0.flow.remote == Device.socket("203.0.113.5", 5062) }
        #expect(desk?["Route"] == "<sip:203.0.113.5:5062;lr>, <sip:203.0.113.6;lr>")
        #expect(desk?.requestURI == Device.bobsDesk.contact)
        network.expectNothingLeft()
    }

    @Test("16.6 step 8: our Via is on top with rport and a branch of its own for each target")
    func via() {
        network.register(.bobsDesk)
        let call = Call(network)
        #expect(call.forwarded.allSatisfy { $0["Via"].hasPrefix("SIP/2.0/UDP 192.0.2.1:5060;rport;branch=z9hG4bK") })
        #expect(Set(call.forwarded.map(\.branch)).count == 2)
        #expect(call.forwarded.allSatisfy { $0.values("Via").count == 2 })
        network.expectNothingLeft()
    }

    @Test("16.6 step 8: Via names the transport and the listener that the request leaves by")
    func viaOfOtherTransports() {
        let six = Device("dave", "2001:db8::7", listener: 3)
        network.register(six)
        #expect(Call(network, to: "carol").first?["Via"].hasPrefix("SIP/2.0/TCP 192.0.2.1:5060;") == true)
        let call = Call(network, to: "dave") {
            $0.callID = "2"
            $0.branch = "z9hG4bK2"
        }
        #expect(call.first?["Via"].hasPrefix("SIP/2.0/UDP [2001:db8::1]:5060;") == true)
        #expect(call.first?.flow == six.flow)
        network.expectNothingLeft()
    }

    @Test("18.2.1 and RFC 3581: received and rport are put into the sender's Via, and what it wrote there is replaced")
    func received() {
        let patched = forwarded { $0.viaParameters = ";received=10.9.9.9;rport=1;x" }?.values("Via").last
        #expect(patched == "SIP/2.0/UDP 198.51.100.1:5060;branch=z9hG4bK-INVITE-1;rport=5060;x;received=198.51.100.1")
        network.expectNothingLeft()
    }

    @Test("16.6 step 9: Content-Length is added where it is missing")
    func contentLength() {
        let invite = forwarded {
            $0.hasContentLength = false
            $0.body = "v=0\r\n"
        }
        #expect(invite?.values("Content-Length") == ["5"])
        #expect(invite?.body == "v=0\r\n")
        network.expectNothingLeft()
    }

    @Test("22.3: credentials of our realm go no further, those for others do")
    func credentials() {
        let other =
            "Proxy-Authorization: Digest username=\"x\", realm=\"other.example\", nonce=\"n\", uri=\"sip:bob@example.com\", response=\"\(String(repeating: "0", count: 32))\""
        let invite = forwarded {
            $0.headers = [
                other,
                "Authorization: Digest username=\"alice\", realm=\"bob\", nonce=\"n\", uri=\"u\", response=\"r\"",
            ]
        }
        #expect(invite?.values("Proxy-Authorization") == [String(other.dropFirst(21))])
        #expect(invite?.values("Authorization").count == 1)
        network.expectNothingLeft()
    }

    @Test("16.6: what follows Content-Length in a datagram is left out (18.3)")
    func trailing() {
        let request = network.signed(Device.alice.request("MESSAGE", to: "bob").with { $0.body = "hello" })
        let sent = network.send(request.text + "garbage", from: Device.alice.flow)
        #expect(sent.first?.body == "hello")
        network.expectNothingLeft()
    }
}
