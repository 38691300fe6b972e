import Primitives
import SIPMessage
import Testing

@Suite("Method")
struct MethodTests {
    static let known = (1...14).compactMap { Method(rawValue: $0) }

    @Test("Each method is known by its name and by nothing in another case (7.1)", arguments: known)
    func names(method: Method) {
        let name = method.name.string
        let (same, lower, longer, shorter) = (
            name.withSlice { Method($0) }, name.lowercased().withSlice { Method($0) },
            (name + "X").withSlice { Method($0) }, String(name.dropLast()).withSlice { Method($0) }
        )
        #expect(same == method && lower == .other && longer == .other && shorter == .other)
    }

    @Test("All fourteen methods of the RFCs are there, and an unknown one has no name of its own")
    func unknown() {
        #expect(Self.known.count == 14 && Method(rawValue: 15) == nil)
        #expect(Method("") == .other && Method("NEWMETHOD") == .other && Method("RE%47IST%45R") == .other)
        #expect(Method.other.name.isEmpty)
    }
}
