import Testing

@Suite("Random traffic")
struct RandomTrafficTests {
    @Test(
        "Whatever comes in whatever order: one final response a transaction, nothing for strangers, nothing left",
        arguments: 0..<8 as Range<UInt64>)
    func orders(_ block: UInt64) {
        for seed in block * 10..<block * 10 + 10 {
            var traffic = RandomTraffic(seed: seed, garbles: false)
            traffic.run(steps: 80)
        }
    }

    @Test("Garbled messages neither trap nor leave anything behind", arguments: 0..<8 as Range<UInt64>)
    func garbled(_ block: UInt64) {
        for seed in block * 10..<block * 10 + 10 {
            var traffic = RandomTraffic(seed: 1000 + seed, garbles: true)
            traffic.run(steps: 80)
        }
    }
}
