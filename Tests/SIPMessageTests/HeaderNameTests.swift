import Primitives
import SIPMessage
import Testing

@Suite("HeaderName")
struct HeaderNameTests {
    @Test("Each name is known in the RFC's writing, in lower, upper and mixed case", arguments: HeaderName.allCases)
    func longForms(name: HeaderName) {
        let text = name.text.string
        #expect(text.isEmpty == (name == .other))
        let mixed = String(
            text.enumerated().map { $0.offset % 2 == 0 ? Character($0.element.lowercased()) : $0.element })
        for form in [text, text.lowercased(), text.uppercased(), mixed] {
            let found = form.withSlice { HeaderName($0) }
            #expect(found == name)
        }
    }

    @Test("A name that differs in any one letter is another", arguments: HeaderName.allCases)
    func neighbours(name: HeaderName) {
        let text = name.text.bytes
        for index in text.indices {
            var changed = text
            changed[index] = UInt8(ascii: "#")
            let found = changed.withSlice { HeaderName($0) }
            #expect(found == .other)
        }
        let longer = (text + [UInt8(ascii: "s")]).withSlice { HeaderName($0) }
        #expect(longer == (name == .other ? .subject : .other))
    }

    @Test("The compact forms of the IANA registry mean their long forms, in either case")
    func compactForms() {
        let forms: [Character: HeaderName] = [
            "v": .via, "f": .from, "t": .to, "i": .callID, "m": .contact, "l": .contentLength, "c": .contentType,
            "e": .contentEncoding, "k": .supported, "o": .event, "r": .referTo, "b": .referredBy, "s": .subject,
            "x": .sessionExpires, "u": .allowEvents,
        ]
        for letter in "abcdefghijklmnopqrstuvwxyz" {
            for form in [String(letter), letter.uppercased()] {
                let found = form.withSlice { HeaderName($0) }
                #expect(found == forms[letter] ?? .other, "\(form)")
            }
        }
    }

    @Test("Any other name is passed on as it is")
    func others() {
        for text in ["", "-", "P-Asserted-Identity", "Vi", "Via ", "Content_Length", "Content\rLength"] {
            let found = text.withSlice { HeaderName($0) }
            #expect(found == .other)
        }
    }
}
