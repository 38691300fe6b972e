import Primitives
import Testing

@Suite struct FlowTests {
    @Test func onlyDatagramsNeedRetransmission() {
        #expect(!TransportProtocol.udp.isReliable && TransportProtocol.tcp.isReliable)
    }

    @Test func transportsHaveTheirNamesInViaAndInURIs() {
        #expect(TransportProtocol.udp.viaName == "UDP" && TransportProtocol.tcp.viaName == "TCP")
        #expect(TransportProtocol.udp.name == "udp" && TransportProtocol.tcp.name == "tcp")
    }

    @Test func flowsAreEqualOnlyInAllParts() {
        let remote = SocketAddress(address: IPAddress(ipv4: 1), port: 2)
        let flow = Flow(transport: .tcp, listener: 1, remote: remote, connection: 4)
        let others = [
            Flow(transport: .udp, listener: 1, remote: remote, connection: 4),
            Flow(transport: .tcp, listener: 0, remote: remote, connection: 4),
            Flow(transport: .tcp, listener: 1, remote: remote),
            Flow(
                transport: .tcp, listener: 1, remote: SocketAddress(address: IPAddress(ipv4: 1), port: 3), connection: 4
            ),
        ]
        #expect(Set(others + [flow]).count == 5)
    }
}
