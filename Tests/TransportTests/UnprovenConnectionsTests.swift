import Testing

@testable import Transport

@Suite struct UnprovenConnectionsTests {
    private var connections = UnprovenConnections()

    @Test mutating func `the oldest goes first, those that left in between are passed over`() {
        for identifier in 1...5 { connections.insert(UInt64(identifier)) }
        connections.remove(1)
        connections.remove(3)
        #expect(connections.count == 3)
        #expect(connections.takeOldest() == 2)
        #expect(connections.takeOldest() == 4)
        #expect(connections.takeOldest() == 5)
        #expect(connections.takeOldest() == nil)
        #expect(connections.count == 0)
    }

    @Test mutating func `a million that come and go keep their order and take no room`() {
        connections.insert(1)
        for identifier in 2...1_000_000 {
            connections.insert(UInt64(identifier))
            if identifier % 3 == 0 { _ = connections.takeOldest() }
            if identifier % 3 != 0 { connections.remove(UInt64(identifier)) }
        }
        let left = connections.count
        #expect(left < 4)
        var last: UInt64 = 0
        while let oldest = connections.takeOldest() {
            #expect(oldest > last)
            last = oldest
        }
    }
}
