import Glibc
import Primitives
import Synchronization
import Testing

@testable import Transport

@Suite struct ResolverTests {
    /// What a test's completions gather, and how often names were looked up.
    final class Answers: Sendable {
        let lists = Mutex<[[IPAddress]]>([])
        let lookUps = Atomic(0)
        let isHeld = Atomic(false)

        var completion: Resolver.Completion { { list in self.lists.withLock { $0.append(list) } } }
        var all: [[IPAddress]] { lists.withLock { $0 } }

        func resolver(queueLimit: Int = 1000, _ addresses: [IPAddress]) throws -> Resolver {
            try Resolver(queueLimit: queueLimit) { _ in
                self.lookUps.wrappingAdd(1, ordering: .relaxed)
                while self.isHeld.load(ordering: .acquiring) { usleep(1000) }
                return addresses
            }
        }
    }

    static let address = IPAddress(ipv4: 0xc000_0201)

    @Test("Addresses in text are answered before the call returns, and nothing is looked up")
    func numeric() throws {
        let answers = Answers()
        let resolver = try answers.resolver([])
        for text in ["192.0.2.1", "[::1]", "::1"] as [ByteSlice] {
            #expect(resolver.resolve(text, completion: answers.completion))
        }
        #expect(answers.all == [[Self.address], [IPAddress(high: 0, low: 1)], [IPAddress(high: 0, low: 1)]])
        #expect(answers.lookUps.load(ordering: .relaxed) == 0)
    }

    @Test("The system's resolver knows localhost")
    func system() throws {
        let answers = Answers()
        let resolver = try Resolver()
        #expect(resolver.resolve("localhost", completion: answers.completion))
        #expect(eventually { answers.all.count == 1 })
        #expect(answers.all.first?.contains(where: \.isLoopback) == true)
    }

    @Test("A name that no resolver can know has no address", arguments: ["", "a\0b"] as [ByteSlice])
    func impossible(name: ByteSlice) throws {
        let answers = Answers()
        let resolver = try answers.resolver([Self.address])
        #expect(resolver.resolve(name, completion: answers.completion))
        #expect(answers.all == [[]])
    }

    @Test("A name is looked up once for all that wait for it, and again only when the answer is old")
    func cache() throws {
        let answers = Answers()
        let resolver = try answers.resolver([Self.address])
        answers.isHeld.store(true, ordering: .releasing)
        for name in ["peer.example", "PEER.example", "peer.EXAMPLE"] as [ByteSlice] {
            #expect(resolver.resolve(name, completion: answers.completion))
        }
        answers.isHeld.store(false, ordering: .releasing)
        #expect(eventually { answers.all.count == 3 })
        #expect(resolver.resolve("peer.example", completion: answers.completion))
        #expect(answers.all == [[IPAddress]](repeating: [Self.address], count: 4))
        #expect(answers.lookUps.load(ordering: .relaxed) == 1)
    }

    @Test(
        "An answer is kept for a minute, a failure for five seconds",
        arguments: [(true, 59_000, 61_000), (false, 4_000, 6_000)])
    func expiry(found: Bool, young: UInt64, old: UInt64) throws {
        let answers = Answers()
        let state = try ResolverState(queueLimit: 10) { _ in
            answers.lookUps.wrappingAdd(1, ordering: .relaxed)
            return found ? [Self.address] : []
        }
        let thread = Runner(state)
        let now = System.coarseInstant()
        #expect(state.resolve("a", now: now, answers.completion))
        #expect(eventually { answers.all.count == 1 })
        #expect(state.resolve("a", now: now.advanced(byMilliseconds: young), answers.completion))
        #expect(answers.lookUps.load(ordering: .relaxed) == 1)
        #expect(state.resolve("a", now: now.advanced(byMilliseconds: old), answers.completion))
        #expect(eventually { answers.all.count == 3 })
        #expect(answers.lookUps.load(ordering: .relaxed) == 2)
        thread.stop()
    }

    @Test("A full queue refuses, and takes again when it is empty")
    func fullQueue() throws {
        let answers = Answers()
        let resolver = try answers.resolver(queueLimit: 4, [Self.address])
        answers.isHeld.store(true, ordering: .releasing)
        let names = ["a.example", "b.example", "c.example", "d.example"] as [ByteSlice]
        for name in names { #expect(resolver.resolve(name, completion: answers.completion)) }
        #expect(!resolver.resolve("e.example", completion: answers.completion))
        answers.isHeld.store(false, ordering: .releasing)
        #expect(eventually { answers.all.count == 4 })
        #expect(resolver.resolve("e.example", completion: answers.completion))
        #expect(eventually { answers.all.count == 5 })
    }

    /// A thread of a resolver's state without the resolver.
    final class Runner {
        private let state: ResolverState
        private var thread = pthread_t()

        init(_ state: ResolverState) {
            self.state = state
            let box = Unmanaged.passRetained(state)
            pthread_create(
                &thread, nil,
                { argument in
                    if let argument { Unmanaged<ResolverState>.fromOpaque(argument).takeRetainedValue().run() }
                    return nil
                }, box.toOpaque())
        }

        func stop() {
            state.stop()
            pthread_join(thread, nil)
        }
    }
}
