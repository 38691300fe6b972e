import Primitives

/// SHA-256 (FIPS 180-4 section 6.2).
public struct SHA256: HashFunction {
    private var state: InlineArray<8, UInt32> = [
        0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19,
    ]
    private var buffer = BlockBuffer<64>()

    /// The hash of no bytes yet.
    public init() {}

    /// Adds bytes.
    public mutating func update(_ slice: ByteSlice) {
        var state = self.state
        buffer.append(slice) { Self.compress($0, into: &state) }
        self.state = state
    }

    /// Adds one byte.
    public mutating func update(byte: UInt8) {
        var state = self.state
        buffer.append(byte: byte) { Self.compress($0, into: &state) }
        self.state = state
    }

    /// The 32 bytes of the hash; nothing may be added afterwards.
    public mutating func finalize() -> HashDigest {
        var state = self.state
        buffer.finish(lengthBytes: 8, bigEndian: true) { Self.compress($0, into: &state) }
        self.state = state
        var digest = HashDigest(count: 32)
        digest.store(state[0], at: 0)
        digest.store(state[1], at: 4)
        digest.store(state[2], at: 8)
        digest.store(state[3], at: 12)
        digest.store(state[4], at: 16)
        digest.store(state[5], at: 20)
        digest.store(state[6], at: 24)
        digest.store(state[7], at: 28)
        return digest
    }

    /// Mixes in the 64 bytes at `block` (FIPS 180-4 section 6.2.2).
    private static func compress(_ block: UnsafeRawPointer, into state: inout InlineArray<8, UInt32>) {
        var words = InlineArray<64, UInt32>(repeating: 0)
        for t in 0..<16 {
            words[t] = UInt32(bigEndian: block.loadUnaligned(fromByteOffset: 4 &* t, as: UInt32.self))
        }
        for t in 16..<64 {
            let early = words[t - 15]
            let late = words[t - 2]
            let sigma0 = rotate(early, 7) ^ rotate(early, 18) ^ early &>> 3
            let sigma1 = rotate(late, 17) ^ rotate(late, 19) ^ late &>> 10
            words[t] = words[t - 16] &+ sigma0 &+ words[t - 7] &+ sigma1
        }
        var a = state[0]
        var b = state[1]
        var c = state[2]
        var d = state[3]
        var e = state[4]
        var f = state[5]
        var g = state[6]
        var h = state[7]
        for t in stride(from: 0, to: 64, by: 8) {
            Self.step(a, b, c, &d, e, f, g, &h, constants[t + 0] &+ words[t + 0])
            Self.step(h, a, b, &c, d, e, f, &g, constants[t + 1] &+ words[t + 1])
            Self.step(g, h, a, &b, c, d, e, &f, constants[t + 2] &+ words[t + 2])
            Self.step(f, g, h, &a, b, c, d, &e, constants[t + 3] &+ words[t + 3])
            Self.step(e, f, g, &h, a, b, c, &d, constants[t + 4] &+ words[t + 4])
            Self.step(d, e, f, &g, h, a, b, &c, constants[t + 5] &+ words[t + 5])
            Self.step(c, d, e, &f, g, h, a, &b, constants[t + 6] &+ words[t + 6])
            Self.step(b, c, d, &e, f, g, h, &a, constants[t + 7] &+ words[t + 7])
        }
        state[0] &+= a
        state[1] &+= b
        state[2] &+= c
        state[3] &+= d
        state[4] &+= e
        state[5] &+= f
        state[6] &+= g
        state[7] &+= h
    }

    @inline(__always)
    private static func rotate(_ value: UInt32, _ shift: UInt32) -> UInt32 {
        value &>> shift | value &<< (32 &- shift)
    }

    /// One round; the caller turns the names instead of moving the values.
    @inline(__always)
    private static func step(
        _ a: UInt32, _ b: UInt32, _ c: UInt32, _ d: inout UInt32, _ e: UInt32, _ f: UInt32, _ g: UInt32,
        _ h: inout UInt32, _ input: UInt32
    ) {
        let sum1 = rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)
        let choice = g ^ (e & (f ^ g))
        let first = h &+ sum1 &+ choice &+ input
        let sum0 = rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)
        let majority = (a & b) | (c & (a | b))
        d = d &+ first
        h = first &+ sum0 &+ majority
    }

    private static let constants: InlineArray<64, UInt32> = [
        0x428a_2f98, 0x7137_4491, 0xb5c0_fbcf, 0xe9b5_dba5, 0x3956_c25b, 0x59f1_11f1, 0x923f_82a4, 0xab1c_5ed5,
        0xd807_aa98, 0x1283_5b01, 0x2431_85be, 0x550c_7dc3, 0x72be_5d74, 0x80de_b1fe, 0x9bdc_06a7, 0xc19b_f174,
        0xe49b_69c1, 0xefbe_4786, 0x0fc1_9dc6, 0x240c_a1cc, 0x2de9_2c6f, 0x4a74_84aa, 0x5cb0_a9dc, 0x76f9_88da,
        0x983e_5152, 0xa831_c66d, 0xb003_27c8, 0xbf59_7fc7, 0xc6e0_0bf3, 0xd5a7_9147, 0x06ca_6351, 0x1429_2967,
        0x27b7_0a85, 0x2e1b_2138, 0x4d2c_6dfc, 0x5338_0d13, 0x650a_7354, 0x766a_0abb, 0x81c2_c92e, 0x9272_2c85,
        0xa2bf_e8a1, 0xa81a_664b, 0xc24b_8b70, 0xc76c_51a3, 0xd192_e819, 0xd699_0624, 0xf40e_3585, 0x106a_a070,
        0x19a4_c116, 0x1e37_6c08, 0x2748_774c, 0x34b0_bcb5, 0x391c_0cb3, 0x4ed8_aa4a, 0x5b9c_ca4f, 0x682e_6ff3,
        0x748f_82ee, 0x78a5_636f, 0x84c8_7814, 0x8cc7_0208, 0x90be_fffa, 0xa450_6ceb, 0xbef9_a3f7, 0xc671_78f2,
    ]
}
