import Primitives
import Testing

@testable import SIPProxy

@Suite("The route token of our Record-Route")
struct RouteTokenTests {
    private let key = HashKey(1, 2)

    private func text(_ token: RouteToken, callID: ByteSlice = "c") -> [UInt8] {
        var writer = ByteWriter(capacity: 128)
        token.write(to: &writer, callID: callID, key: key)
        return writer.slice.bytes
    }

    private func read(_ text: [UInt8], callID: ByteSlice = "c", key: HashKey? = nil) -> RouteToken? {
        text.withSlice { RouteToken($0, callID: callID, key: key ?? self.key) }
    }

    static let flows = [
        Flow(transport: .udp, listener: 0, remote: Device.socket("198.51.100.1", 5060)),
        Flow(transport: .udp, listener: 3, remote: Device.socket("2001:db8::7", 65535)),
        Flow(transport: .tcp, listener: 2, remote: Device.socket("198.51.100.3", 1), connection: UInt64.max),
        Flow(transport: .tcp, listener: 255, remote: Device.socket("2001:db8::9", 5061), connection: 1),
    ]

    @Test("Every pair of flows comes back as it was", arguments: flows, flows)
    func roundTrip(_ caller: Flow, _ callee: Flow) {
        let token = read(text(RouteToken(caller: caller, callee: callee, callerTag: 0xbeef)))
        #expect(token?.caller == caller)
        #expect(token?.callee == callee)
        #expect(token?.callerTag == 0xbeef)
    }

    @Test(
        "The record of a call comes back; a token without one is as those of before there were records",
        arguments: flows)
    func record(_ flow: Flow) {
        let record = RecordNumber(at: UnixTime(seconds: 1_800_000_000), counter: 5)
        let token = RouteToken(caller: flow, callee: Self.flows[1], callerTag: 3, record: record)
        #expect(read(text(token))?.record == record)
        #expect(read(text(token))?.callee == Self.flows[1])
        let without = RouteToken(caller: flow, callee: Self.flows[1], callerTag: 3)
        #expect(read(text(without))?.record == RecordNumber(0))
        #expect(text(without).count < text(token).count)
    }

    @Test("A token of version 0.1 is read")
    func oldToken() {
        let old = Array("rcAAATxMYzZAEBAgABxjNkA___________vu8VmTrAKQauRQ".utf8)
        let token = read(old)
        #expect(token?.caller == Self.flows[0])
        #expect(token?.callee == Self.flows[2])
        #expect(token?.callerTag == 0xbeef)
        #expect(token?.record == RecordNumber(0))
    }

    @Test("A token is of characters that a URI user may have (RFC 3261 25.1)", arguments: flows)
    func characters(_ flow: Flow) {
        let text = text(RouteToken(caller: flow, callee: flow, callerTag: 1))
        #expect(text.starts(with: Array("rc".utf8)))
        #expect(text.allSatisfy { ASCII.isLetter($0) || ASCII.isDigit($0) || $0 == 0x2d || $0 == 0x5f })
    }

    @Test("No change of any character, cut or addition goes unnoticed", arguments: flows)
    func tampered(_ flow: Flow) {
        let good = text(RouteToken(caller: flow, callee: Self.flows[0], callerTag: 7))
        for index in good.indices {
            for byte in Array("A_!z".utf8) where byte != good[index] {
                var bad = good
                bad[index] = byte
                #expect(read(bad) == nil)
            }
            #expect(read(Array(good[..<index])) == nil)
        }
        #expect(read(good + [UInt8(ascii: "A")]) == nil)
        #expect(read(good + [UInt8](repeating: UInt8(ascii: "A"), count: 200)) == nil)
    }

    @Test("A token proves nothing for another Call-ID or another secret")
    func otherCall() {
        let good = text(RouteToken(caller: Self.flows[0], callee: Self.flows[1], callerTag: 7))
        #expect(read(good) != nil)
        #expect(read(good, callID: "d") == nil)
        #expect(read(good, key: HashKey(1, 3)) == nil)
    }

    @Test("The direction is told by the tags; tags of another dialog have none")
    func direction() {
        let token = RouteToken(
            caller: Self.flows[0], callee: Self.flows[1], callerTag: RouteToken.hash(tag: "from1"))
        let fromCaller = token.direction(fromTag: "from1", toTag: "to1", source: Self.flows[3])
        #expect(fromCaller?.next == Self.flows[1])
        #expect(fromCaller?.isFromCaller == true)
        let fromCallee = token.direction(fromTag: "to1", toTag: "from1", source: Self.flows[3])
        #expect(fromCallee?.next == Self.flows[0])
        #expect(fromCallee?.isFromCaller == false)
        #expect(token.direction(fromTag: "x", toTag: "y", source: Self.flows[0]) == nil)
    }

    @Test("When both tags hash alike the source decides")
    func sameTags() {
        let token = RouteToken(
            caller: Self.flows[0], callee: Self.flows[1], callerTag: RouteToken.hash(tag: "same"))
        #expect(token.direction(fromTag: "same", toTag: "same", source: Self.flows[1])?.next == Self.flows[0])
        #expect(token.direction(fromTag: "same", toTag: "same", source: Self.flows[0])?.next == Self.flows[1])
    }
}
