import Glibc
import Primitives
import Testing

@testable import Transport

@Suite(.serialized) struct TransportTests {
    static let any = SocketAddress(address: Edge.loopback, port: 0)

    @Test(
        "A port that is taken is reported with its holder, also when it is shared",
        arguments: [TransportProtocol.udp, .tcp])
    func addressInUse(transport: TransportProtocol) throws {
        let first = try Transport(listeners: [.init(transport: transport, address: Self.any)], workers: 2)
        let address = first.listeners[0].address
        let error = #expect(throws: TransportError.self) {
            _ = try Transport(listeners: [.init(transport: transport, address: address)], workers: 1)
        }
        #expect(error?.cause == SystemError(EADDRINUSE, "bind"))
        let text = error?.description ?? ""
        #expect(text.hasPrefix("cannot listen on \(transport.name.string) \(address): bind: Address already in use"))
        #expect(text.hasSuffix("(process \(getpid()))"))
    }

    @Test("A port is free again at once after a stop, with connections that were open")
    func restart() throws {
        var edge: Edge? = try Edge(echoes: true)
        let address = try #require(edge?.streams)
        let peer = try Peer(.tcp)
        try peer.connect(address)
        peer.send(request(1))
        #expect(peer.receive() == request(1))
        let clock = ContinuousClock.now
        edge = nil
        #expect(ContinuousClock.now - clock < .seconds(1))
        #expect(peer.isClosed)
        let second = try Transport(listeners: [.init(transport: .tcp, address: address)], workers: 1)
        #expect(second.listeners.map(\.address) == [address])
    }

    @Test("An address that this machine does not have is reported")
    func foreignAddress() throws {
        let foreign = SocketAddress(address: IPAddress(ipv4: 0xc000_0201), port: 5060)
        let error = #expect(throws: TransportError.self) {
            _ = try Transport(listeners: [.init(transport: .udp, address: foreign)], workers: 1)
        }
        #expect(error?.description == "cannot listen on udp 192.0.2.1:5060: bind: Cannot assign requested address")
    }

    @Test("0.0.0.0 becomes a listener for each address, none of them unspecified")
    func unspecified() throws {
        let everywhere = SocketAddress(address: IPAddress(ipv4: 0), port: 0)
        let transport = try Transport(listeners: [.init(transport: .udp, address: everywhere)], workers: 2)
        let addresses = transport.listeners.map(\.address.address)
        #expect(addresses.contains(Edge.loopback))
        #expect(try LocalAddresses.expand(IPAddress(ipv4: 0)) == addresses)
        #expect(transport.listeners.allSatisfy { $0.address.port != 0 })
        #expect(transport.listeners.map(\.index) == (0..<UInt16(addresses.count)).map { $0 })
    }

    @Test("The same listener twice is opened once")
    func duplicates() throws {
        let free = try Peer(.udp).address
        let listener = ListenerConfiguration(transport: .udp, address: free)
        #expect(try Transport(listeners: [listener, listener], workers: 1).listeners.count == 1)
    }

    @Test("Stopping twice, or without a start, does nothing")
    func stopTwice() throws {
        let edge = try Edge()
        edge.transport.stop()
        edge.transport.stop()
        let idle = try Transport(listeners: [.init(transport: .udp, address: Self.any)], workers: 1)
        idle.stop()
    }
}
