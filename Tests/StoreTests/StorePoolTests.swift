import Synchronization
import Testing

@testable import Store

@Suite struct StorePoolTests {
    let scratch = Scratch()

    @Test("As many stores are opened as are lent at the same time")
    func reuse() throws {
        _ = try Store(path: scratch.path).fill(clients: 3)
        let path = scratch.path
        let opened = Mutex(0)
        let pool = StorePool { () throws(StoreError) in
            opened.withLock { $0 += 1 }
            return try Store(reading: path)
        }
        for _ in 0..<5 { #expect(try pool.lend { store throws(StoreError) in try store.clientCount() } == 3) }
        #expect(opened.withLock { $0 } == 1)
        let counts = try pool.lend { first throws(StoreError) in
            try pool.lend { second throws(StoreError) in [try first.clientCount(), try second.clientCount()] }
        }
        #expect(counts == [3, 3] && opened.withLock { $0 } == 2)
    }

    @Test("A store with which something failed is not lent again, and an opening that fails is told")
    func failure() throws {
        _ = try Store(path: scratch.path)
        let path = scratch.path
        let opened = Mutex(0)
        let pool = StorePool { () throws(StoreError) in
            if opened.withLock({
                $0 += 1; return $0
            }) == 3 {
                throw .busy(path: path)
            }
            return try Store(reading: path)
        }
        #expect(throws: StoreError.full(path: path)) {
            try pool.lend { _ throws(StoreError) in throw .full(path: path) }
        }
        _ = try pool.lend { store throws(StoreError) in try store.clientCount() }
        #expect(opened.withLock { $0 } == 2)
        #expect(throws: StoreError.busy(path: path)) {
            try pool.lend { _ throws(StoreError) in
                try pool.lend { store throws(StoreError) in _ = try store.clientCount() }
            }
        }
    }
}
