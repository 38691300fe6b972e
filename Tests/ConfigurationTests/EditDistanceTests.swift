import Testing

@testable import Configuration

@Suite struct EditDistanceTests {
    @Test func `Insertions, deletions, replacements and swaps of neighbours count one each`() {
        #expect(EditDistance.between("port", "port") == 0)
        #expect(EditDistance.between("port", "prot") == 1)
        #expect(EditDistance.between("port", "ports") == 1)
        #expect(EditDistance.between("port", "pot") == 1)
        #expect(EditDistance.between("port", "part") == 1)
        #expect(EditDistance.between("", "abc") == 3)
    }

    @Test func `The nearest word is found without case, and none when all are far`() {
        #expect(EditDistance.nearest(to: "MAXFORK", of: ["maxForks", "timerC"]) == "maxForks")
        #expect(EditDistance.nearest(to: "zzz", of: ["maxForks", "timerC"]) == nil)
        #expect(EditDistance.nearest(to: "x", of: []) == nil)
    }
}
