import Primitives
import SIPMessage
import Testing

@Suite("Random mutations of header values")
struct HeaderMutationTests {
    static let seeds: [String] = [
        "3600", "multipart/mixed; boundary=\"a;b\\\"c\" ;\r\n charset = UTF-8", "snom320/8.7.3.25 (mac (x) \\)) y / z",
        "399 [2001:db8::1]:5060 \"a \\\"b\\\", c\"", "SIP ;cause=200 ;text=\"a;b\\\\\"",
        "18000 (a (b)) ;duration=3600;x=\"y\"",
    ]

    @Test(
        "No mutation of a valid value traps, and every slice of the result lies in the value",
        arguments: seeds.indices)
    func mutations(seed: Int) {
        let original = Array(Self.seeds[seed].utf8)
        var random = SeededGenerator(state: UInt64(seed) + 1)
        var valid = 0
        let rounds = 3000
        for _ in 0..<rounds {
            var bytes = original
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                let start = Int.random(in: 0...bytes.count, using: &random)
                let end = Int.random(in: start...min(bytes.count, start + 2), using: &random)
                let spice = MutationTests.spice.randomElement(using: &random) ?? []
                bytes.replaceSubrange(start..<end, with: Bool.random(using: &random) ? spice : [])
            }
            bytes.withSlice { slice in
                let parts = Self.parts(of: slice)
                if !parts.isEmpty { valid += 1 }
                for part in parts where !Self.lies(part, in: slice) { Issue.record("outside: \(slice.string)") }
            }
        }
        // Both kinds must come up, or the rest says little.
        #expect(valid > rounds / 100 && valid < rounds)
    }

    /// The slices that the readers make of a value.
    private static func parts(of value: ByteSlice) -> [ByteSlice] {
        var parts: [ByteSlice?] = []
        if DeltaSeconds(value) != nil { parts.append(value) }
        if let type = ContentType(value) { parts += [type.type, type.subtype, type.parameters.text] }
        if let list = ProductList(value) {
            var offset = 0
            while let element = list.next(from: &offset) {
                switch element {
                case .product(let name, let version): parts += [name, version]
                case .comment(let comment): parts.append(comment)
                }
            }
        }
        if let warning = WarningValue(value) { parts += [warning.agent, warning.text] }
        if let reason = ReasonValue(value) { parts += [reason.protocolName, reason.text, reason.parameters.text] }
        if let retry = RetryAfter(value) { parts += [retry.comment ?? value, retry.parameters.text] }
        return parts.compactMap { $0 }
    }

    private static func lies(_ part: ByteSlice, in whole: ByteSlice) -> Bool {
        part.withUnsafeBytes { inner in
            whole.withUnsafeBytes { outer in
                guard let start = inner.baseAddress, let first = outer.baseAddress, !inner.isEmpty else { return true }
                return start >= first && start + inner.count <= first + outer.count
            }
        }
    }
}
