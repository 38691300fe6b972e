import Primitives
import Testing

@Suite struct SlabTests {
    @Test func anEntryIsFoundByItsReferenceUntilItIsRemoved() {
        var slab = Slab<String>()
        let first = slab.insert("a")
        let second = slab.insert("b")
        #expect(slab[first] == "a" && slab[second] == "b" && slab.count == 2)
        let removed = slab.remove(first)
        #expect(removed == "a" && slab[first] == nil && !slab.contains(first) && slab.count == 1)
        let again = slab.remove(first)
        #expect(again == nil && slab.count == 1)
    }

    @Test func aStaleReferenceDoesNotFindTheNextUserOfItsPlace() {
        var slab = Slab<Int>()
        let stale = slab.insert(1)
        slab.remove(stale)
        let fresh = slab.insert(2)
        #expect(fresh.position == stale.position && fresh != stale)
        #expect(slab[stale] == nil)
        slab[stale] = 3
        slab[stale]? += 1
        let removed = slab.remove(stale)
        #expect(removed == nil && slab[fresh] == 2 && slab.count == 1)
    }

    @Test func aReferenceThatWasNeverGivenIsHarmless() {
        var slab = Slab<Int>()
        let foreign = SlabIndex(position: 4_000_000_000, generation: 1)
        #expect(slab[foreign] == nil)
        slab[foreign] = 1
        let removed = slab.remove(foreign)
        #expect(removed == nil && slab.count == 0)
    }

    @Test func anEntryIsChangedInPlace() {
        var slab = Slab<[Int]>()
        let index = slab.insert([1])
        slab[index]?.append(2)
        #expect(slab[index] == [1, 2])
        slab[index] = [5]
        #expect(slab[index] == [5] && slab.count == 1)
    }

    @Test func settingNilRemovesTheEntryAndFreesItsPlace() {
        var slab = Slab<Int>()
        let index = slab.insert(1)
        slab[index] = nil
        #expect(slab.count == 0 && !slab.contains(index))
        let next = slab.insert(2)
        #expect(next.position == index.position && next != index && slab.count == 1)
    }

    @Test func placesAreReusedSoThatMemoryDoesNotGrow() {
        var slab = Slab<Int>()
        for round in 0..<1_000 {
            let references = (0..<10).map { slab.insert(round + $0) }
            for reference in references { slab.remove(reference) }
        }
        let positions = (0..<10).map { _ in slab.insert(0).position }
        #expect(Set(positions) == Set(0..<10))
    }

    @Test func indicesAreThoseInUseInOrderOfPosition() {
        var slab = Slab<Int>()
        let references = (0..<5).map { slab.insert($0) }
        slab.remove(references[1])
        slab.remove(references[3])
        #expect(slab.indices == [references[0], references[2], references[4]])
    }
}
