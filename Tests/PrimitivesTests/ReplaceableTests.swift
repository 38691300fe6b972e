import Primitives
import Synchronization
import Testing

@Suite struct ReplaceableTests {
    /// Counts how many of its kind live.
    private final class Counted: Sendable {
        static let living = Atomic<Int>(0)
        init() { Counted.living.add(1, ordering: .relaxed) }
        deinit { Counted.living.subtract(1, ordering: .relaxed) }
    }

    @Test func `A value is there until it is replaced, and changes start from it`() {
        let place = Replaceable((first: 1, second: "a"))
        #expect(place.value.first == 1)
        place.replace { $0.first = 2 }
        #expect(place.value == (2, "a"))
        place.replace { $0.second += "b" }
        #expect(place.value == (2, "ab"))
    }

    @Test func `Readers see one value or the other, never half of one`() async {
        let place = Replaceable([0, 0, 0, 0])
        await withTaskGroup(of: Int.self) { group in
            for _ in 0..<3 {
                group.addTask {
                    var broken = 0
                    for _ in 0..<20_000 {
                        let value = place.value
                        if value.count != 4 || Set(value).count != 1 { broken += 1 }
                    }
                    return broken
                }
            }
            group.addTask {
                for number in 1...2000 { place.replace { $0 = [number, number, number, number] } }
                return 0
            }
            for await broken in group { #expect(broken == 0) }
        }
        #expect(place.value == [2000, 2000, 2000, 2000])
    }

    @Test func `Changes of several threads are all kept`() async {
        let place = Replaceable(0)
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<4 { group.addTask { for _ in 0..<500 { place.replace { $0 += 1 } } } }
        }
        #expect(place.value == 2000)
    }

    @Test func `With the place all its values go`() {
        do {
            let place = Replaceable(Counted())
            for _ in 0..<5 { place.replace { $0 = Counted() } }
            #expect(Counted.living.load(ordering: .relaxed) == 6, "a reader may still be in an old one")
        }
        #expect(Counted.living.load(ordering: .relaxed) == 0)
    }
}
