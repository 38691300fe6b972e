import Primitives
import SIPMessage
import Testing

@Suite("Fault")
struct FaultTests {
    static let all = (0...255).compactMap { Fault(rawValue: $0) }

    @Test("Each fault is answered with 400 or the status that the RFC has for it", arguments: all)
    func status(fault: Fault) {
        switch fault {
        case .version: #expect(fault.status == 505)
        case .unsupportedScheme: #expect(fault.status == 416)
        case .tooLarge: #expect(fault.status == 513)
        default: #expect(fault.status == 400)
        }
    }

    @Test("Each fault has a phrase of its own, fit for a Status-Line")
    func phrases() {
        let phrases = Self.all.map(\.phrase.string)
        #expect(Set(phrases).count == phrases.count && phrases.count == 30)
        for phrase in phrases {
            #expect(!phrase.isEmpty && phrase.utf8.allSatisfy { $0 >= 32 && $0 < 127 })
        }
    }
}
