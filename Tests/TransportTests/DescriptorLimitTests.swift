import Glibc
import Testing

@testable import Transport

@Suite struct DescriptorLimitTests {
    @Test("The limit is never lowered, and what is granted is what can be had")
    func raise() {
        let before = DescriptorLimit.raise(to: 0)
        #expect(before > 0)
        #expect(DescriptorLimit.raise(to: before) == before)
        #expect(DescriptorLimit.raise(to: 1) == before)
        #expect(DescriptorLimit.raise(to: Int.max) >= before)
    }
}
