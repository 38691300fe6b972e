import Primitives
import SIPAuthentication
import Synchronization
import Testing

@testable import SIPRegistrar

#if canImport(Glibc)
    import Glibc
#endif

@Suite struct LocationServiceTests {
    let server = Server()
    var locations: LocationService { server.locations }
    let phone = Phone()

    func binding(_ contact: ByteSlice, flow: Flow = Server.flow(), seconds: Int64 = 600) -> Binding {
        Binding(
            Binding.Text(contact: contact), callIDHash: HashValue(1, 2), sequenceNumber: 1,
            expiresAt: UnixTime(milliseconds: server.now.milliseconds + seconds * 1000), createdAt: server.now,
            updatedAt: server.now, flow: flow)
    }

    // MARK: Clients

    @Test func `A login is found with its case and with escapes decoded`() {
        #expect(locations.withClient("alice") { $0.id } == 1)
        #expect(locations.withClient("%61l%69ce") { $0.id } == 1)
        #expect(locations.withClient("Alice") { $0.id } == nil)
        #expect(locations.withClient("alic") { $0.id } == nil)
        #expect(locations.withClient("") { $0.id } == nil)
        #expect(locations.withClient("alice%0") { $0.id } == nil)
    }

    @Test func `An entry gives login and sid as stored`() {
        locations.replaceClient(id: 9, sid: "CL9", login: "dave", password: .none, isEnabled: true)
        #expect(locations.withClient("dave") { $0.login } == [UInt8]("dave".utf8))
        #expect(locations.withClient("dave") { $0.sid } == [UInt8]("CL9".utf8))
    }

    @Test func `A change is made in place`() {
        _ = locations.withClient("alice") { $0.isEnabled = false }
        #expect(locations.withClient("alice") { $0.isEnabled } == false)
    }

    @Test func `A client that is replaced keeps its bindings, one of another number or disabled does not`() {
        _ = server.register(phone)
        #expect(locations.replaceClient(id: 1, sid: "", login: "alice", password: .none, isEnabled: true).isEmpty)
        #expect(server.targets().count == 1)
        #expect(server.register(phone.next).outcome == .challenged(stale: false, .wrongPassword))
        #expect(locations.replaceClient(id: 7, sid: "", login: "alice", password: .none, isEnabled: true).count == 1)
        #expect(server.targets() == [])
        #expect(locations.restore(binding("sip:a@h"), of: "alice"))
        let dropped = locations.replaceClient(id: 7, sid: "", login: "alice", password: .none, isEnabled: false)
        #expect(dropped.first?.clientID == 7)
        #expect(dropped.first?.login == [UInt8]("alice".utf8))
        #expect(dropped.first?.binding.contact == [UInt8]("sip:a@h".utf8))
    }

    @Test func `A place freed by a removed client is used again`() {
        for round in 0..<3 {
            for number in 0..<10_000 { server.addQuickly("r\(round)-\(number)", id: Int64(number)) }
            #expect(locations.statistics.clients == 10_002)
            for number in 0..<10_000 { "r\(round)-\(number)".withSlice { _ = locations.removeClient($0) } }
        }
        #expect(locations.statistics.clients == 2)
        #expect(locations.withClient("alice") { $0.id } == 1)
        #expect(locations.withClient("bob") { $0.id } == 2)
    }

    // MARK: Targets

    @Test func `Targets are in order of q, then the latest refresh first, and never expired`() {
        _ = server.register(
            phone.with {
                $0.callID = "1"; $0.contacts = ["<sip:old@h>", "<sip:low@h>;q=0.1"]
            })
        server.wait(seconds: 1)
        _ = server.register(
            phone.with {
                $0.callID = "2"; $0.contacts = ["<sip:new@h>", "<sip:mid@h>;q=0.5"]
            })
        _ = server.register(
            phone.with {
                $0.callID = "3"; $0.contacts = ["<sip:short@h>;expires=60"]
            })
        #expect(Set(server.targets().prefix(2)) == ["sip:new@h", "sip:short@h"])
        #expect(Array(server.targets().dropFirst(2)) == ["sip:old@h", "sip:mid@h", "sip:low@h"])
        server.wait(seconds: 60)
        #expect(server.targets() == ["sip:new@h", "sip:old@h", "sip:mid@h", "sip:low@h"])
        server.wait(seconds: 540)
        #expect(server.targets() == [])
    }

    @Test func `Targets are appended behind those that are there, and an unknown or disabled client is told`() {
        _ = server.register(phone)
        var targets: [Target] = []
        #expect(locations.appendTargets(of: "alice", now: server.now, to: &targets))
        #expect(locations.appendTargets(of: "alice", now: server.now, to: &targets))
        #expect(targets.map(\.clientID) == [1, 1])
        #expect(!locations.appendTargets(of: "nobody", now: server.now, to: &targets))
        #expect(locations.appendTargets(of: "bob", now: server.now, to: &targets))
        #expect(targets.count == 2)
        locations.setEnabled(false, "bob")
        #expect(!locations.appendTargets(of: "bob", now: server.now, to: &targets))
    }

    @Test func `A client is registered until its last binding expires`() {
        #expect(!locations.isRegistered("alice", now: server.now))
        _ = server.register(phone)
        #expect(locations.isRegistered("%61lice", now: server.now))
        server.wait(milliseconds: 599_999)
        #expect(locations.isRegistered("alice", now: server.now))
        server.wait(milliseconds: 1)
        #expect(!locations.isRegistered("alice", now: server.now))
    }

    // MARK: Ends of bindings

    @Test func `A closed connection takes its bindings and no others`() {
        let stream = Server.flow(connection: 77)
        _ = server.register(phone, from: stream)
        _ = server.register(phone.with { $0.login = "bob" }, from: stream)
        _ = server.register(
            phone.with {
                $0.callID = "udp"; $0.contacts = ["<sip:udp@h>"]
            })
        #expect(locations.connectionClosed(78).isEmpty)
        let dropped = locations.connectionClosed(77)
        #expect(dropped.map(\.clientID).sorted() == [1, 2])
        #expect(server.targets() == ["sip:udp@h"])
        #expect(locations.connectionClosed(77).isEmpty)
        #expect(locations.statistics == LocationService.Statistics(clients: 2, bindings: 1, connections: 0))
    }

    @Test func `A binding that moved to a new connection outlives the old one`() {
        _ = server.register(phone, from: Server.flow(connection: 1))
        _ = server.register(phone.next, from: Server.flow(connection: 2))
        #expect(locations.connectionClosed(1).isEmpty)
        #expect(server.targets().count == 1)
        #expect(locations.connectionClosed(2).count == 1)
    }

    @Test func `The sweep drops what has expired, in steps, and gives it out once`() {
        for number in 0..<1000 {
            let login = "c\(number)"
            server.addQuickly(login, id: Int64(number))
            login.withSlice {
                #expect(locations.restore(binding("sip:a@h", seconds: number < 600 ? 60 : 600), of: $0))
            }
        }
        #expect(locations.removeExpired(now: server.now, limit: 5000).isEmpty)
        server.wait(seconds: 60)
        var dropped = 0
        for _ in 0..<60 { dropped += locations.removeExpired(now: server.now, limit: 20).count }
        #expect(dropped == 600)
        #expect(locations.statistics.bindings == 400)
        #expect(locations.removeExpired(now: server.now, limit: 5000).isEmpty)
        server.wait(seconds: 540)
        #expect(locations.removeExpired(now: server.now, limit: 5000).count == 400)
        #expect(locations.statistics.bindings == 0)
    }

    @Test func `The sweep frees expired nonces, which are then stale`() {
        let nonce = server.nonce()
        _ = server.send(phone.signed(nonce: nonce))
        #expect(locations.withClient("alice") { $0.nonces.count } == 1)
        server.wait(seconds: 10)
        _ = locations.removeExpired(now: server.now, limit: 100, oldestNonce: server.now)
        #expect(locations.withClient("alice") { $0.nonces.count } == 0)
        #expect(
            server.send(phone.next.with { $0.nonceCount = 2 }.signed(nonce: nonce)).outcome
                == .challenged(stale: true, .nonceStale))
    }

    @Test func `A restored binding is called, a stream one only after its device has come back`() {
        #expect(locations.restore(binding("sip:udp@h"), of: "alice"))
        #expect(!locations.restore(binding("sip:udp@h"), of: "alice"))
        #expect(!locations.restore(binding("sip:udp@h"), of: "nobody"))
        locations.setEnabled(false, "bob")
        #expect(!locations.restore(binding("sip:udp@h"), of: "bob"))
        locations.setEnabled(true, "bob")
        var stream = Server.flow(connection: 5)
        stream.connection = 0
        #expect(locations.restore(binding("sip:tcp@h", flow: stream), of: "bob"))
        #expect(server.targets() == ["sip:udp@h"])
        #expect(server.targets("bob") == [])
        #expect(locations.isRegistered("bob", now: server.now))
        let back = phone.with {
            $0.login = "bob"; $0.contacts = ["<sip:tcp@h>"]
        }
        #expect(server.register(back, from: Server.flow(connection: 6)).outcome == .moved)
        #expect(server.targets("bob") == ["sip:tcp@h"])
        #expect(locations.connectionClosed(6).count == 1)
    }

    @Test func `An operator removes one binding by its key`() {
        _ = server.register(phone.with { $0.contacts = ["<sip:a@h>", "<sip:b@h>"] })
        #expect(locations.removeBinding([UInt8]("sip:a@h".utf8), of: "alice")?.clientID == 1)
        #expect(locations.removeBinding([UInt8]("sip:a@h".utf8), of: "alice") == nil)
        #expect(server.targets() == ["sip:b@h"])
    }

    // MARK: Threads

    @Test func `Eight threads register a thousand clients without a lost binding`() {
        let clients = 1000
        for number in 0..<clients { server.add("u\(number)", id: Int64(number + 10)) }
        let nonce = server.nonce()
        let created = Atomic(0)
        let failed = Atomic(0)
        inThreads(8) { thread in
            // Each client has a device on two threads.
            for number in 0..<clients where number % 4 == thread % 4 {
                let phone = Phone().with {
                    $0.login = "u\(number)"
                    $0.callID = "\(thread)"
                    $0.contacts = ["<sip:u@10.0.0.\(thread)>"]
                    $0.nonceCount = thread + 1
                }
                let answer = server.send(phone.signed(nonce: nonce), from: Server.flow(connection: UInt64(thread + 1)))
                if answer.outcome == .created {
                    created.add(1, ordering: .relaxed)
                } else {
                    failed.add(1, ordering: .relaxed)
                }
                if number % 10 == thread { _ = server.locations.removeExpired(now: server.now, limit: 100) }
            }
        }
        #expect(created.load(ordering: .relaxed) == 2 * clients)
        #expect(failed.load(ordering: .relaxed) == 0)
        #expect(locations.statistics.bindings == 2 * clients)
        let dropped = Atomic(0)
        inThreads(8) { thread in
            dropped.add(server.locations.connectionClosed(UInt64(thread + 1)).count, ordering: .relaxed)
        }
        #expect(dropped.load(ordering: .relaxed) == 2 * clients)
        #expect(locations.statistics == LocationService.Statistics(clients: clients + 2, bindings: 0, connections: 0))
    }

    /// Runs `body` on that many threads at once and waits for all.
    private func inThreads(_ count: Int, _ body: @escaping @Sendable (Int) -> Void) {
        final class Work {
            let run: @Sendable () -> Void
            init(_ run: @escaping @Sendable () -> Void) { self.run = run }
        }
        var threads: [pthread_t] = []
        for number in 0..<count {
            var thread = pthread_t()
            let work = Unmanaged.passRetained(Work { body(number) })
            let result = pthread_create(
                &thread, nil,
                { argument in
                    if let argument { Unmanaged<Work>.fromOpaque(argument).takeRetainedValue().run() }
                    return nil
                }, work.toOpaque())
            #expect(result == 0)
            threads.append(thread)
        }
        for thread in threads { pthread_join(thread, nil) }
    }
}

extension Server {
    /// Adds a client that no password fits.
    fileprivate func addQuickly(_ login: String, id: Int64) {
        login.withSlice {
            _ = locations.replaceClient(id: id, sid: .empty, login: $0, password: .none, isEnabled: true)
        }
    }
}
