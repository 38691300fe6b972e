import Primitives
import Testing

@Suite struct ByteWriterTests {
    @Test func whatIsAppendedStandsOneBehindTheOther() {
        var writer = ByteWriter(capacity: 0)
        writer.append("SIP/2.0 ")
        writer.append(decimal: 200)
        writer.append(byte: 32)
        writer.append([0x4f, 0x4b])
        writer.append(String("é"))
        let text = writer.slice.string
        #expect(text == "SIP/2.0 200 OKé")
        let count = writer.count
        #expect(count == 16)
    }

    @Test func growingKeepsWhatWasWritten() {
        var writer = ByteWriter(capacity: 1)
        var expected: [UInt8] = []
        for number in 0..<5_000 {
            writer.append(byte: UInt8(truncatingIfNeeded: number))
            expected.append(UInt8(truncatingIfNeeded: number))
        }
        let large = [UInt8](repeating: 7, count: 100_000)
        writer.append(large)
        let bytes = writer.slice.bytes
        #expect(bytes == expected + large)
    }

    @Test(arguments: [0, 1, 9, 10, 99, 100, 5060, 4_294_967_295, UInt64.max - 1, UInt64.max] as [UInt64])
    func decimalNumbersAreWrittenWithoutLeadingZeros(number: UInt64) {
        var writer = ByteWriter(capacity: 64)
        // The last bytes before the buffer's end: a number that is longer than what was reserved would be caught.
        for _ in 0..<44 { writer.append(byte: 46) }
        writer.append(decimal: number)
        let text = writer.slice(from: 44).string
        #expect(text == String(number))
    }

    @Test func everyHexadecimalDigitIsWrittenAtEveryPlace() {
        for shift in 0..<16 {
            for digit in UInt64(0)..<16 {
                var writer = ByteWriter(capacity: 16)
                writer.append(hexadecimal: digit << UInt64(4 * shift), digits: 16)
                let digits = String(digit, radix: 16) + String(repeating: "0", count: shift)
                #expect(writer.slice.string == String(repeating: "0", count: 16 - digits.count) + digits)
            }
        }
    }

    @Test func hexadecimalNumbersAreAsWideAsAskedFor() {
        var writer = ByteWriter(capacity: 64)
        writer.append(hexadecimal: 0xab, digits: 4)
        writer.append(byte: 32)
        writer.append(hexadecimal: UInt64.max, digits: 16)
        writer.append(byte: 32)
        writer.append(hexadecimal: 0x12345, digits: 2)
        let text = writer.slice.string
        #expect(text == "00ab ffffffffffffffff 45")
    }

    @Test func truncatingForgetsTheEndAndRemovingAllForgetsEverything() {
        var writer = ByteWriter(capacity: 64)
        writer.append("0123456789")
        writer.truncate(to: 4)
        writer.append("x")
        let text = writer.slice.string
        #expect(text == "0123x")
        let part = writer.slice(1..<3).string
        #expect(part == "12")
        writer.removeAll()
        let count = writer.count
        #expect(count == 0)
    }
}
