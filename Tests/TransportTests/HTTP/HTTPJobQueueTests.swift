import Glibc
import HTTPMessage
import Primitives
import Synchronization
import Testing

@testable import Transport

@Suite struct HTTPJobQueueTests {
    static func job(_ number: UInt64) -> HTTPJob {
        .request(
            HTTPRequest(method: .get, path: [], rawPath: "/", source: Edge.loopback),
            HTTPResponseWriter(method: .get, isVersion10: false, keepsAlive: true), connection: number)
    }

    static func number(_ job: HTTPJob?) -> UInt64? {
        if case .request(_, _, let number) = job { number } else { nil }
    }

    @Test("Requests are taken in their order, and no more wait than may")
    func requestsAreBounded() {
        let queue = HTTPJobQueue(requestLimit: 200)
        for number in 0..<200 { #expect(queue.submit(Self.job(UInt64(number)))) }
        #expect(!queue.submit(Self.job(200)))
        for number in 0..<200 {
            #expect(Self.number(queue.take()) == UInt64(number))
            #expect(queue.submit(Self.job(UInt64(number) + 200)))
        }
        #expect(Self.number(queue.take()) == 200)
    }

    @Test("Parts of bodies are taken in whatever waits, and bodies end with the queue")
    func bodiesAreNotBounded() {
        let stage = HTTPStage()
        let queue = HTTPJobQueue(requestLimit: 1)
        #expect(queue.submit(Self.job(0)))
        for _ in 0..<10 {
            let body = RepeatedParts(stage, part: [1], count: 1)
            #expect(queue.submit(.parts(HTTPBodySource(body, isChunked: true, keepsAlive: true), connection: 1)))
        }
        queue.close()
        #expect(Self.number(queue.take()) == nil)
        #expect(stage.released.load(ordering: .relaxed) == 10)
    }

    @Test("Closing ends a thread that waits")
    func closingEndsWaiting() {
        let queue = HTTPJobQueue(requestLimit: 1)
        let thread = Peer.later(0) { #expect(Self.number(queue.take()) == nil) }
        usleep(20_000)
        queue.close()
        pthread_join(thread, nil)
    }
}
