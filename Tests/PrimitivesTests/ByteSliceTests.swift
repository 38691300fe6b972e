import Testing

@testable import Primitives

@Suite struct ByteSliceTests {
    @Test func literalsOfAnyLengthAreSlices() {
        let none: ByteSlice = ""
        let one: ByteSlice = "a"
        let wide: ByteSlice = "é"
        #expect(none.isEmpty && none.count == 0 && none == .empty)
        #expect(one.count == 1 && one[0] == 97)
        #expect(wide.bytes == [0xc3, 0xa9])
    }

    @Test func equalityLooksAtEveryByteAndTheLength() {
        for length in 0...40 {
            let bytes = (0..<length).map { UInt8($0) }
            bytes.withSlice { slice in
                let copy = bytes.map { $0 }
                copy.withSlice { #expect($0 == slice) }
                for index in 0..<length {
                    var other = bytes
                    other[index] ^= 0x80
                    other.withSlice { #expect($0 != slice) }
                }
                (bytes + [0]).withSlice { #expect($0 != slice) }
            }
        }
    }

    @Test func partsAreWhatTheRangeSays() {
        let slice: ByteSlice = "INVITE sip:bob"
        #expect(slice[0..<6] == "INVITE" && slice[7..<10] == "sip" && slice[14..<14].isEmpty)
        #expect(
            slice.from(7) == "sip:bob" && slice.from(14).isEmpty && slice.from(99).isEmpty && slice.from(-3) == slice)
        #expect(slice.prefix(6) == "INVITE" && slice.prefix(99) == slice && slice.prefix(-1).isEmpty)
        #expect(slice.first == UInt8(ascii: "I") && slice.last == UInt8(ascii: "b"))
        #expect(ByteSlice.empty.first == nil && ByteSlice.empty.last == nil)
    }

    @Test func theOffsetOfAPartIsWhereItWasTaken() {
        let slice: ByteSlice = "INVITE sip:bob"
        #expect(slice[7..<10].offset(in: slice) == 7)
        #expect(slice.from(99).offset(in: slice) == 14)
    }

    @Test func aBufferWithoutAddressIsEmpty() {
        #expect(ByteSlice(UnsafeRawBufferPointer(start: nil, count: 0)).isEmpty)
        [UInt8]().withSlice { #expect($0.isEmpty) }
        "".withSlice { #expect($0.isEmpty) }
    }

    @Test func copiesKeepTheBytesAndMakeText() {
        #expect(([1, 0, 255] as [UInt8]).withSlice { $0.bytes } == [1, 0, 255])
        #expect("Žluťoučký".withSlice { $0.string } == "Žluťoučký")
        #expect(([0x61, 0xff] as [UInt8]).withSlice { $0.string } == "a\u{fffd}")
    }

    @Test func readingOutsideStopsTheProgram() async {
        await #expect(processExitsWith: .failure) { _ = ("abc" as ByteSlice)[3] }
        await #expect(processExitsWith: .failure) { _ = ("abc" as ByteSlice)[-1] }
        await #expect(processExitsWith: .failure) { _ = ("abc" as ByteSlice)[1..<4] }
        await #expect(processExitsWith: .failure) { _ = ("abc" as ByteSlice)[-1..<2] }
    }
}
