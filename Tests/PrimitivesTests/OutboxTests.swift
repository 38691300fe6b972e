import Primitives
import Testing

@Suite struct OutboxTests {
    private let flow = Flow(
        transport: .udp, listener: 2, remote: SocketAddress(address: IPAddress(ipv4: 0x7f00_0001), port: 5060))

    @Test func messagesStandInTheOrderOfSendingWithTheirOwnBytes() {
        var outbox = Outbox()
        outbox.send("first", to: flow)
        let start = outbox.bytes.count
        outbox.bytes.append("sec")
        outbox.bytes.append("ond")
        var other = flow
        other.remote.port = 5062
        outbox.send(from: start, to: other, origin: 9)
        outbox.send("", to: flow)

        var texts: [String] = []
        for message in outbox.messages {
            texts.append(outbox.bytes.slice(message.start..<message.start + message.length).string)
        }
        #expect(texts == ["first", "second", ""])
        let messages = outbox.messages
        #expect(messages.map(\.flow) == [flow, other, flow])
        #expect(messages.map(\.origin) == [0, 9, 0])
    }

    @Test func messagesSurviveTheGrowthOfTheBuffer() {
        var outbox = Outbox()
        let large = [UInt8](repeating: 0x61, count: 60_000)
        for _ in 0..<10 { large.withSlice { outbox.send($0, to: flow) } }
        for message in outbox.messages {
            let bytes = outbox.bytes.slice(message.start..<message.start + message.length).bytes
            #expect(bytes == large)
        }
    }

    @Test func anEmptiedOutboxStartsAnew() {
        var outbox = Outbox()
        outbox.send("first", to: flow)
        outbox.removeAll()
        let isEmpty = outbox.messages.isEmpty && outbox.bytes.count == 0
        #expect(isEmpty)
        outbox.send("second", to: flow)
        let start = outbox.messages.first?.start
        #expect(start == 0)
    }
}
