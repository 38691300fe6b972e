import Primitives
import Testing

@Suite struct ASCIITests {
    private static let letters = Set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ".utf8)
    private static let digits = Set("0123456789".utf8)

    private func members(_ condition: (UInt8) -> Bool) -> Set<UInt8> {
        Set((0...255).map { UInt8($0) }.filter(condition))
    }

    @Test func rfc3261Section25TokenIsAlphanumericAndTenMarks() {
        #expect(members(ASCII.isToken) == Self.letters.union(Self.digits).union("-.!%*_+`'~".utf8))
    }

    @Test func rfc3261Section25UnreservedIsAlphanumericAndMark() {
        #expect(members(ASCII.isUnreserved) == Self.letters.union(Self.digits).union("-_.!~*'()".utf8))
    }

    @Test func rfc3261Section25WordIsWhatCallIDsAreMadeOf() {
    }

    @Test func digitsLettersAndWhiteSpaceAreExactlyThose() {
        #expect(members(ASCII.isDigit) == Self.digits)
        #expect(members(ASCII.isLetter) == Self.letters)
        #expect(members(ASCII.isLinearWhiteSpace) == Set(" \t\r\n".utf8))
    }

    @Test func lowercaseChangesTheLettersAToZOnly() {
        for byte in 0...255 as ClosedRange<UInt8> {
            #expect(ASCII.lowercase(byte) == ((65...90).contains(byte) ? byte + 32 : byte))
        }
    }

    @Test func hexadecimalDigitsOfEitherCaseHaveTheirValues() {
        for byte in 0...255 as ClosedRange<UInt8> {
            let text = String(UnicodeScalar(byte))
            let expected =
                Self.digits.contains(byte) || "abcdefABCDEF".utf8.contains(byte) ? UInt8(text, radix: 16) : nil
            #expect(ASCII.hexadecimalValue(byte) == expected)
        }
        #expect(ASCII.hexadecimalDigits == "0123456789abcdef")
    }
}
