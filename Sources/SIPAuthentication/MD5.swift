import Primitives

/// MD5 (RFC 1321): broken as a signature, but the one digest that every SIP phone speaks.
public struct MD5: HashFunction {
    private var state = State(a: 0x6745_2301, b: 0xefcd_ab89, c: 0x98ba_dcfe, d: 0x1032_5476)
    private var buffer = BlockBuffer<64>()

    /// The hash of no bytes yet.
    public init() {}

    /// Adds bytes.
    public mutating func update(_ slice: ByteSlice) {
        var state = self.state
        buffer.append(slice) { state.compress($0) }
        self.state = state
    }

    /// Adds one byte.
    public mutating func update(byte: UInt8) {
        var state = self.state
        buffer.append(byte: byte) { state.compress($0) }
        self.state = state
    }

    /// The 16 bytes of the hash; nothing may be added afterwards.
    public mutating func finalize() -> HashDigest {
        var state = self.state
        buffer.finish(lengthBytes: 8, bigEndian: false) { state.compress($0) }
        self.state = state
        var digest = HashDigest(count: 16)
        digest.store(state.a.byteSwapped, at: 0)
        digest.store(state.b.byteSwapped, at: 4)
        digest.store(state.c.byteSwapped, at: 8)
        digest.store(state.d.byteSwapped, at: 12)
        return digest
    }
}

/// The chaining value, and the compression function (RFC 1321 section 3.4) with its rounds written out: a REGISTER costs
/// four or five blocks, and a loop over tables takes about twice as long.
private struct State {
    var a: UInt32
    var b: UInt32
    var c: UInt32
    var d: UInt32

    /// Mixes in the 64 bytes at `block`.
    mutating func compress(_ block: UnsafeRawPointer) {
        var a = self.a
        var b = self.b
        var c = self.c
        var d = self.d
        Self.f(&a, b, c, d, Self.word(block, 0), 0xd76a_a478, 7)
        Self.f(&d, a, b, c, Self.word(block, 1), 0xe8c7_b756, 12)
        Self.f(&c, d, a, b, Self.word(block, 2), 0x2420_70db, 17)
        Self.f(&b, c, d, a, Self.word(block, 3), 0xc1bd_ceee, 22)
        Self.f(&a, b, c, d, Self.word(block, 4), 0xf57c_0faf, 7)
        Self.f(&d, a, b, c, Self.word(block, 5), 0x4787_c62a, 12)
        Self.f(&c, d, a, b, Self.word(block, 6), 0xa830_4613, 17)
        Self.f(&b, c, d, a, Self.word(block, 7), 0xfd46_9501, 22)
        Self.f(&a, b, c, d, Self.word(block, 8), 0x6980_98d8, 7)
        Self.f(&d, a, b, c, Self.word(block, 9), 0x8b44_f7af, 12)
        Self.f(&c, d, a, b, Self.word(block, 10), 0xffff_5bb1, 17)
        Self.f(&b, c, d, a, Self.word(block, 11), 0x895c_d7be, 22)
        Self.f(&a, b, c, d, Self.word(block, 12), 0x6b90_1122, 7)
        Self.f(&d, a, b, c, Self.word(block, 13), 0xfd98_7193, 12)
        Self.f(&c, d, a, b, Self.word(block, 14), 0xa679_438e, 17)
        Self.f(&b, c, d, a, Self.word(block, 15), 0x49b4_0821, 22)
        Self.g(&a, b, c, d, Self.word(block, 1), 0xf61e_2562, 5)
        Self.g(&d, a, b, c, Self.word(block, 6), 0xc040_b340, 9)
        Self.g(&c, d, a, b, Self.word(block, 11), 0x265e_5a51, 14)
        Self.g(&b, c, d, a, Self.word(block, 0), 0xe9b6_c7aa, 20)
        Self.g(&a, b, c, d, Self.word(block, 5), 0xd62f_105d, 5)
        Self.g(&d, a, b, c, Self.word(block, 10), 0x0244_1453, 9)
        Self.g(&c, d, a, b, Self.word(block, 15), 0xd8a1_e681, 14)
        Self.g(&b, c, d, a, Self.word(block, 4), 0xe7d3_fbc8, 20)
        Self.g(&a, b, c, d, Self.word(block, 9), 0x21e1_cde6, 5)
        Self.g(&d, a, b, c, Self.word(block, 14), 0xc337_07d6, 9)
        Self.g(&c, d, a, b, Self.word(block, 3), 0xf4d5_0d87, 14)
        Self.g(&b, c, d, a, Self.word(block, 8), 0x455a_14ed, 20)
        Self.g(&a, b, c, d, Self.word(block, 13), 0xa9e3_e905, 5)
        Self.g(&d, a, b, c, Self.word(block, 2), 0xfcef_a3f8, 9)
        Self.g(&c, d, a, b, Self.word(block, 7), 0x676f_02d9, 14)
        Self.g(&b, c, d, a, Self.word(block, 12), 0x8d2a_4c8a, 20)
        Self.h(&a, b, c, d, Self.word(block, 5), 0xfffa_3942, 4)
        Self.h(&d, a, b, c, Self.word(block, 8), 0x8771_f681, 11)
        Self.h(&c, d, a, b, Self.word(block, 11), 0x6d9d_6122, 16)
        Self.h(&b, c, d, a, Self.word(block, 14), 0xfde5_380c, 23)
        Self.h(&a, b, c, d, Self.word(block, 1), 0xa4be_ea44, 4)
        Self.h(&d, a, b, c, Self.word(block, 4), 0x4bde_cfa9, 11)
        Self.h(&c, d, a, b, Self.word(block, 7), 0xf6bb_4b60, 16)
        Self.h(&b, c, d, a, Self.word(block, 10), 0xbebf_bc70, 23)
        Self.h(&a, b, c, d, Self.word(block, 13), 0x289b_7ec6, 4)
        Self.h(&d, a, b, c, Self.word(block, 0), 0xeaa1_27fa, 11)
        Self.h(&c, d, a, b, Self.word(block, 3), 0xd4ef_3085, 16)
        Self.h(&b, c, d, a, Self.word(block, 6), 0x0488_1d05, 23)
        Self.h(&a, b, c, d, Self.word(block, 9), 0xd9d4_d039, 4)
        Self.h(&d, a, b, c, Self.word(block, 12), 0xe6db_99e5, 11)
        Self.h(&c, d, a, b, Self.word(block, 15), 0x1fa2_7cf8, 16)
        Self.h(&b, c, d, a, Self.word(block, 2), 0xc4ac_5665, 23)
        Self.i(&a, b, c, d, Self.word(block, 0), 0xf429_2244, 6)
        Self.i(&d, a, b, c, Self.word(block, 7), 0x432a_ff97, 10)
        Self.i(&c, d, a, b, Self.word(block, 14), 0xab94_23a7, 15)
        Self.i(&b, c, d, a, Self.word(block, 5), 0xfc93_a039, 21)
        Self.i(&a, b, c, d, Self.word(block, 12), 0x655b_59c3, 6)
        Self.i(&d, a, b, c, Self.word(block, 3), 0x8f0c_cc92, 10)
        Self.i(&c, d, a, b, Self.word(block, 10), 0xffef_f47d, 15)
        Self.i(&b, c, d, a, Self.word(block, 1), 0x8584_5dd1, 21)
        Self.i(&a, b, c, d, Self.word(block, 8), 0x6fa8_7e4f, 6)
        Self.i(&d, a, b, c, Self.word(block, 15), 0xfe2c_e6e0, 10)
        Self.i(&c, d, a, b, Self.word(block, 6), 0xa301_4314, 15)
        Self.i(&b, c, d, a, Self.word(block, 13), 0x4e08_11a1, 21)
        Self.i(&a, b, c, d, Self.word(block, 4), 0xf753_7e82, 6)
        Self.i(&d, a, b, c, Self.word(block, 11), 0xbd3a_f235, 10)
        Self.i(&c, d, a, b, Self.word(block, 2), 0x2ad7_d2bb, 15)
        Self.i(&b, c, d, a, Self.word(block, 9), 0xeb86_d391, 21)
        self.a = self.a &+ a
        self.b = self.b &+ b
        self.c = self.c &+ c
        self.d = self.d &+ d
    }

    @inline(__always)
    private static func word(_ block: UnsafeRawPointer, _ index: Int) -> UInt32 {
        UInt32(littleEndian: block.loadUnaligned(fromByteOffset: 4 &* index, as: UInt32.self))
    }

    @inline(__always)
    private static func rotate(_ value: UInt32, _ shift: UInt32) -> UInt32 {
        value &<< shift | value &>> (32 &- shift)
    }

    @inline(__always)
    private static func f(
        _ a: inout UInt32, _ b: UInt32, _ c: UInt32, _ d: UInt32, _ word: UInt32, _ constant: UInt32, _ shift: UInt32
    ) {
        let sum = a &+ word &+ constant &+ (d ^ (b & (c ^ d)))
        a = b &+ rotate(sum, shift)
    }

    @inline(__always)
    private static func g(
        _ a: inout UInt32, _ b: UInt32, _ c: UInt32, _ d: UInt32, _ word: UInt32, _ constant: UInt32, _ shift: UInt32
    ) {
        // The halves have no bit in common, so they may be added one by one; only the second waits for the last step.
        let sum = a &+ word &+ constant &+ (~d & c) &+ (d & b)
        a = b &+ rotate(sum, shift)
    }

    @inline(__always)
    private static func h(
        _ a: inout UInt32, _ b: UInt32, _ c: UInt32, _ d: UInt32, _ word: UInt32, _ constant: UInt32, _ shift: UInt32
    ) {
        let sum = a &+ word &+ constant &+ (b ^ (c ^ d))
        a = b &+ rotate(sum, shift)
    }

    @inline(__always)
    private static func i(
        _ a: inout UInt32, _ b: UInt32, _ c: UInt32, _ d: UInt32, _ word: UInt32, _ constant: UInt32, _ shift: UInt32
    ) {
        let sum = a &+ word &+ constant &+ (c ^ (b | ~d))
        a = b &+ rotate(sum, shift)
    }
}
