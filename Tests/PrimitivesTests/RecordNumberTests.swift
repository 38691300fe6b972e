import Primitives
import Testing

@Suite struct RecordNumberTests {
    private let time = UnixTime(milliseconds: 1_800_000_000_123)

    @Test func aSIDIsItsPrefixAnd32HexadecimalDigitsAndGivesItsNumberBack() {
        let number = RecordNumber(at: time, counter: 77)
        let sid = number.sid(prefix: "CA")
        #expect(sid.count == 34)
        #expect(RecordNumber(sid: sid, prefix: "CA") == number)
        #expect(number.time == time)
    }

    @Test func aSIDThatIsMistypedOrOfAnotherKindOrLengthIsNone() {
        let sid = RecordNumber(at: time, counter: 1).sid(prefix: "CA")
        let last = sid.last == "0" ? "1" : "0"
        #expect(RecordNumber(sid: sid.dropLast() + last, prefix: "CA") == nil)
        #expect(RecordNumber(sid: sid, prefix: "SM") == nil)
        #expect(RecordNumber(sid: String(sid.dropLast()), prefix: "CA") == nil)
        #expect(RecordNumber(sid: sid.uppercased(), prefix: "CA") == nil)
        #expect(RecordNumber(sid: "CA" + String(repeating: "f", count: 32), prefix: "CA") == nil)
        #expect(RecordNumber(sid: "", prefix: "CA") == nil)
    }

    @Test func theDigitsOfASIDAreWrittenAlone() {
        let number = RecordNumber(at: time, counter: 9)
        var writer = ByteWriter(capacity: 32)
        writer.append(digitsOf: number)
        #expect("CA" + writer.slice.string == number.sid(prefix: "CA"))
    }

    @Test func numbersAreInTheOrderOfCreation() {
        let first = RecordNumber(at: time, counter: UInt64.max)
        let second = RecordNumber(at: UnixTime(milliseconds: time.milliseconds + 1), counter: 0)
        #expect(first < second)
        #expect(RecordNumber(notBefore: time) <= RecordNumber(at: time, counter: 0))
        #expect(RecordNumber(notBefore: second.time) > first)
    }

    @Test func aClockThatIsFarOffMakesAValidNumber() {
        #expect(RecordNumber(at: UnixTime(milliseconds: .max), counter: 5).value > 0)
        #expect(RecordNumber(at: UnixTime(milliseconds: .min), counter: 5).value > 0)
    }
}
