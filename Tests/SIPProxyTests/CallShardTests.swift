import Primitives
import Testing

@testable import SIPProxy

@Suite("Server transactions of the proxy (RFC 3261 17.2, RFC 6026)")
struct CallShardTests {
    let network = TestNetwork(.alice, .bob, .carol)

    @Test("17.2.1: a repeated INVITE is answered by the last provisional response and not forwarded again")
    func repeatedInvite() {
        let call = Call(network)
        #expect(network.send(call.invite).summaries == ["100 INVITE"])
        let ringing = network.answer(call.first, 180)
        let again = network.send(call.invite)
        #expect(again.map(\.bytes) == ringing.map(\.bytes))
        network.expectNothingLeft()
    }

    @Test("16.2: 100 goes out before the request does, without a To tag and with the Timestamp (8.2.6.1)")
    func trying() {
        let sent = network.sendSigned(
            Device.alice.request("INVITE", to: "bob").with { $0.headers = ["Timestamp: 54"] })
        #expect(sent.summaries == ["100 INVITE", "INVITE"])
        #expect(sent.first?["Timestamp"] == "54")
        #expect(sent.first?.toTag == nil)
        network.expectNothingLeft()
    }

    @Test("17.2.1: a final response is repeated by Timer G until the ACK, which is absorbed with its repetitions")
    func timerG() {
        let call = Call(network)
        let end = network.answer(call.first, 486).last
        let repeated = network.wait(milliseconds: 3_600)
        #expect(repeated.summaries == ["486 INVITE", "486 INVITE", "486 INVITE"])
        #expect(repeated.allSatisfy { $0.bytes == end?.bytes })
        #expect(network.send(call.invite).map(\.bytes) == [end?.bytes])
        guard let end else { return }
        #expect(network.send(call.invite.acknowledgement(of: end)).isEmpty)
        #expect(network.send(call.invite.acknowledgement(of: end)).isEmpty)
        #expect(network.wait(milliseconds: 10_000).isEmpty)
        network.expectNothingLeft()
    }

    @Test("17.2.1: without an ACK Timer H ends it, and the log says so")
    func timerH() {
        let call = Call(network)
        network.answer(call.first, 486)
        _ = network.takeLog()
        network.wait(milliseconds: 33_000)
        #expect(network.takeLog().contains("no ACK"))
        #expect(network.isIdle, "\(network.server.tableSizes)")
    }

    @Test("17.1.1.3: the ACK for a failure within a dialog is not forwarded though it has the token")
    func acknowledgementInDialog() {
        let call = Call(network)
        let ok = network.answer(call.first, 200).first
        let invite = call.fromCaller("INVITE", after: ok)
        let again = network.send(invite).last
        let end = network.answer(again, 488).last
        #expect(end?.summary == "488 INVITE")
        if let end { #expect(network.send(invite.acknowledgement(of: end)).isEmpty) }
        network.expectNothingLeft()
    }

    @Test(
        "17.2.2: a repeated request gets the same final response and is not forwarded twice",
        arguments: ["MESSAGE", "INFO"])
    func repeatedRequest(_ method: String) {
        let request = network.signed(Device.alice.request(method, to: "bob"))
        let sent = network.send(request)
        #expect(network.send(request).isEmpty)
        let answer = network.answer(sent.first, 200, headers: ["X: y"])
        #expect(answer.summaries == ["200 \(method)"])
        #expect(network.send(request).map(\.bytes) == answer.map(\.bytes))
        #expect(network.answer(sent.first, 200).isEmpty)
        network.wait(milliseconds: 33_000)
        #expect(network.isIdle, "\(network.server.tableSizes)")
    }

    @Test("17.2.2: a repeated BYE gets the same final response")
    func repeatedBye() {
        let call = Call(network)
        let ok = network.answer(call.first, 200).first
        let bye = call.fromCaller("BYE", after: ok)
        let sent = network.send(bye)
        #expect(network.send(bye).isEmpty)
        let answer = network.answer(sent.first, 481)
        #expect(network.send(bye).map(\.bytes) == answer.map(\.bytes))
        network.expectNothingLeft()
    }

    @Test("17.2.3: the same branch from another sent-by is another request")
    func sentBy() {
        let first = network.signed(Device.alice.request("MESSAGE", to: "bob"))
        network.send(first)
        var other = Device.alice
        other.host = "198.51.100.1:5062"
        #expect(network.sendSigned(other.request("MESSAGE", to: "bob")).summaries == ["MESSAGE"])
        network.expectNothingLeft()
    }

    @Test("17.1.2: a request over TCP is neither repeated nor kept after its answer")
    func stream() {
        let sent = network.sendSigned(Device.carol.request("MESSAGE", to: "carol"))
        #expect(sent.summaries == ["MESSAGE"])
        #expect(network.wait(milliseconds: 20_000).summaries == ["100 MESSAGE"])
        let answer = network.answer(sent.first, 200)
        #expect(answer.summaries == ["200 MESSAGE"])
        #expect(answer.first?.flow == Device.carol.flow)
        #expect(network.isIdle, "\(network.server.tableSizes)")
    }

    @Test("18.3: a message on a stream without Content-Length is answered 400")
    func streamWithoutLength() {
        let request = Device.carol.request("MESSAGE", to: "bob").with { $0.hasContentLength = false }
        #expect(network.send(request).summaries == ["400 MESSAGE"])
        network.expectStateless()
    }

    @Test("21.5.14: the head of a message on a stream that is over the limit is answered 513")
    func streamTooLarge() {
        let request = Device.carol.request("MESSAGE", to: "bob").with { $0.contentLength = "70000" }
        #expect(network.send(request).summaries == ["513 MESSAGE"])
        network.expectStateless()
    }

    @Test("17.2.1: over TCP neither 100 nor a failure is repeated, and the ACK ends the transaction")
    func inviteOverStream() {
        let call = Call(network, from: .carol)
        #expect(network.send(call.invite).isEmpty)
        let end = network.answer(call.first, 486).last
        #expect(network.wait(milliseconds: 10_000).isEmpty)
        if let end { network.send(call.invite.acknowledgement(of: end)) }
        network.wait(milliseconds: 25_000)
        #expect(network.isIdle, "\(network.server.tableSizes)")
    }

    @Test("An origin names the client transaction of its shard again")
    func origins() {
        for (shard, position, generation) in [(0, 0, 1), (31, 5, 77), (255, 0xfff_ffff, 0xfff_ffff)]
            as [(UInt8, UInt32, UInt32)]
        {
            let index = SlabIndex(position: position, generation: generation)
            let decoded = CallShard.decode(origin: CallShard.origin(shard: shard, index))
            #expect(decoded?.shard == shard)
            #expect(decoded?.index == index)
        }
        #expect(CallShard.decode(origin: 0) == nil)
    }
}
