import Glibc
import Primitives
import Testing

@testable import Store

@Suite struct WriterQueueTests {
    private let change = StoreChange.deleteBindings(clientID: 1)

    /// How long it takes until the queue gives what it has, in milliseconds, and how many units that are.
    private func take(_ queue: WriterQueue<Int>) -> (milliseconds: UInt64, units: Int) {
        let start = StoreOptions.monotonicMilliseconds()
        var batch = PendingChanges<Int>()
        _ = queue.take(into: &batch, waitingMilliseconds: 5000)
        return (StoreOptions.monotonicMilliseconds() - start, batch.units.count)
    }

    @Test("A change that may gather waits for others, and nothing is taken twice")
    func gathers() {
        let queue = WriterQueue<Int>(limit: 10, gatherMilliseconds: 300)
        #expect(queue.enqueue(change, receipt: nil, mayGather: true))
        let first = JoinableThread.start(
            named: "adds", running: Later(50) { _ = queue.enqueue(self.change, receipt: nil, mayGather: true) })
        let taken = take(queue)
        first?.join()
        #expect(taken.units == 2 && taken.milliseconds >= 290)
    }

    @Test("A change that somebody waits for takes those that gather along at once", arguments: [true, false])
    func urgent(_ isFirst: Bool) {
        let queue = WriterQueue<Int>(limit: 10, gatherMilliseconds: 60_000)
        #expect(queue.enqueue(change, receipt: nil, mayGather: true))
        if isFirst { #expect(queue.enqueue(change, receipt: 1)) }
        let later = JoinableThread.start(
            named: "adds", running: Later(50) { _ = queue.enqueue([self.change], receipt: 2) })
        let taken = take(queue)
        later?.join()
        #expect(taken.units == 2 && taken.milliseconds < 30_000)
    }

    @Test("The end, a search for changes and a wait for all do not wait for what gathers", arguments: [0, 1, 2])
    func others(_ kind: Int) {
        let queue = WriterQueue<Int>(limit: 10, gatherMilliseconds: 60_000)
        #expect(queue.enqueue(change, receipt: nil, mayGather: true))
        let later = JoinableThread.start(
            named: "asks",
            running: Later(50) {
                switch kind {
                case 0: queue.requestStop()
                case 1: queue.requestPoll()
                default: queue.waitUntilDrained()
                }
            })
        let taken = take(queue)
        queue.finish(units: taken.units) { _ in }
        later?.join()
        #expect(taken.units == 1 && taken.milliseconds < 30_000)
    }
}

/// Does something after a while.
private final class Later: ThreadBody {
    private let milliseconds: UInt32
    private let body: @Sendable () -> Void

    init(_ milliseconds: UInt32, _ body: @escaping @Sendable () -> Void) {
        self.milliseconds = milliseconds
        self.body = body
    }

    override func run() {
        usleep(milliseconds * 1000)
        body()
    }
}
