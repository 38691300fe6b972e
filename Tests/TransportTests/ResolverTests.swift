import Glibc
import NameResolution
import Primitives
import Synchronization
import Testing

@testable import Transport

@Suite struct ResolverTests {
    /// What a test's completions gather.
    final class Answers: Sendable {
        private let list = Mutex<[TargetAnswer]>([])

        var completion: Resolver.Completion { { answer in self.list.withLock { $0.append(answer) } } }
        var all: [TargetAnswer] { list.withLock { $0 } }
    }

    static let ways = Reachability([.init(.udp, isIPv4: true), .init(.tcp, isIPv4: true)])
    static let requester = IPAddress(ipv4: 1)

    private func resolver(_ servers: [SocketAddress], hosts: String = "/dev/null", list: String = "/dev/null") throws
        -> Resolver
    {
        var settings = NameResolver.Settings(servers: servers, reachability: Self.ways)
        settings.timeout = 300
        return try Resolver(settings, files: ResolverFiles(servers: list, hosts: hosts), key: HashKey(1, 2))
    }

    private func query(_ host: String, port: UInt16? = 5060) -> TargetQuery {
        TargetQuery(host: Array(host.utf8), port: port)
    }

    private func places(_ answer: TargetAnswer?) -> [SocketAddress] {
        if case .candidates(let candidates)? = answer { candidates.map(\.remote) } else { [] }
    }

    /// A UDP socket that says nothing by itself.
    private final class SilentSocket {
        let descriptor: FileDescriptor
        let address: SocketAddress

        init() throws {
            descriptor = try System.socket(.udp, family: AF_INET)
            try System.bind(descriptor.number, SocketAddress(address: Edge.loopback, port: 0))
            address = try System.localAddress(descriptor.number)
        }
    }

    @Test("Addresses, localhost and the names of the table of hosts are answered without a server")
    func local() throws {
        let path = "/tmp/rollcall-hosts-\(getpid())-\(UInt32.random(in: 0...UInt32.max))"
        defer { unlink(path) }
        write("192.0.2.7 pbx\n", to: path)
        let resolver = try resolver([SocketAddress(address: Edge.loopback, port: 9)], hosts: path)
        let answers = Answers()
        for host in ["192.0.2.1", "localhost", "pbx"] {
            resolver.resolve(query(host), for: Self.requester, completion: answers.completion)
        }
        #expect(eventually(10) { answers.all.count == 3 })
        #expect(
            answers.all.map { places($0).first?.address } == [
                IPAddress(ipv4: 0xc000_0201), Edge.loopback, IPAddress(ipv4: 0xc000_0207),
            ])
        // The file is read anew when it has changed, a second later at the latest.
        write("192.0.2.8 pbx # moved\n", to: path)
        let moved = IPAddress(ipv4: 0xc000_0208)
        #expect(
            eventually(10) {
                resolver.resolve(query("pbx"), for: Self.requester, completion: answers.completion)
                usleep(100_000)
                return places(answers.all.last).first?.address == moved
            })
    }

    private func write(_ text: String, to path: String) {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
        _ = text.withCString { Glibc.write(descriptor, $0, strlen($0)) }
        close(descriptor)
    }

    @Test("A server that is not there is told at once, one that is silent after its tries")
    func dead() throws {
        let answers = Answers()
        // Closed again before it is asked.
        let nobody = try SilentSocket().address
        let start = System.now().instant
        let refused = try resolver([nobody])
        refused.resolve(query("a.example"), for: Self.requester, completion: answers.completion)
        #expect(eventually { answers.all.count == 1 })
        #expect(answers.all.first == .failure(.servers(LookupFailure(server: nobody, cause: .unreachable))))
        #expect(System.now().instant.milliseconds(since: start) < 250)
        let silent = try SilentSocket()
        let waiting = try resolver([silent.address])
        for number in 0..<1500 {
            waiting.resolve(query("n\(number).example"), for: Self.requester, completion: answers.completion)
        }
        #expect(eventually(10) { waiting.sizes.questions == 0 && answers.all.count == 1501 })
        withExtendedLifetime(silent) {}
    }

    @Test("An answer comes back; those that do not match are passed over")
    func answer() throws {
        let server = try SilentSocket()
        let resolver = try resolver([server.address])
        let answers = Answers()
        resolver.resolve(query("a.example"), for: Self.requester, completion: answers.completion)
        var buffer = [UInt8](repeating: 0, count: 512)
        var peer = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        var count = -1
        #expect(
            eventually {
                count = withUnsafeMutablePointer(to: &peer) { pointer in
                    pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                        recvfrom(server.descriptor.number, &buffer, buffer.count, 0, $0, &length)
                    }
                }
                return count > 28
            })
        guard count > 28 else { return }
        // Without the OPT record, with an answer.
        var response = Array(buffer[0..<count - 11])
        (response[2], response[3], response[7], response[11]) = (0x81, 0x80, 1, 0)
        response += [0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2, 9]
        func send(_ bytes: [UInt8]) {
            _ = withUnsafePointer(to: &peer) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    sendto(server.descriptor.number, bytes, bytes.count, 0, $0, length)
                }
            }
        }
        var lie = response
        lie[0] ^= 0xff
        lie[lie.count - 1] = 66
        send(lie)
        send([1, 2, 3])
        send(response)
        #expect(eventually { answers.all.count == 1 })
        #expect(places(answers.all.first).map(\.address) == [IPAddress(ipv4: 0xc000_0209)])
        #expect(eventually { resolver.sizes.answers == 1 })
    }
}
