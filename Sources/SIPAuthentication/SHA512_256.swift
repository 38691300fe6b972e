import Primitives

/// SHA-512/256 (FIPS 180-4 section 6.7): SHA-512 with its own initial value, cut to 256 bits.
public struct SHA512_256: HashFunction {
    private var state: InlineArray<8, UInt64> = [
        0x2231_2194_fc2b_f72c, 0x9f55_5fa3_c84c_64c2, 0x2393_b86b_6f53_b151, 0x9638_7719_5940_eabd,
        0x9628_3ee2_a88e_ffe3, 0xbe5e_1e25_5386_3992, 0x2b01_99fc_2c85_b8aa, 0x0eb7_2ddc_81c5_2ca2,
    ]
    private var buffer = BlockBuffer<128>()

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
        buffer.finish(lengthBytes: 16, bigEndian: true) { Self.compress($0, into: &state) }
        self.state = state
        var digest = HashDigest(count: 32)
        digest.store(state[0], at: 0)
        digest.store(state[1], at: 8)
        digest.store(state[2], at: 16)
        digest.store(state[3], at: 24)
        return digest
    }

    /// Mixes in the 128 bytes at `block` (FIPS 180-4 section 6.4.2).
    private static func compress(_ block: UnsafeRawPointer, into state: inout InlineArray<8, UInt64>) {
        var words = InlineArray<80, UInt64>(repeating: 0)
        for t in 0..<16 {
            words[t] = UInt64(bigEndian: block.loadUnaligned(fromByteOffset: 8 &* t, as: UInt64.self))
        }
        for t in 16..<80 {
            let early = words[t - 15]
            let late = words[t - 2]
            let sigma0 = rotate(early, 1) ^ rotate(early, 8) ^ early &>> 7
            let sigma1 = rotate(late, 19) ^ rotate(late, 61) ^ late &>> 6
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
        for t in stride(from: 0, to: 80, by: 8) {
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
    private static func rotate(_ value: UInt64, _ shift: UInt64) -> UInt64 {
        value &>> shift | value &<< (64 &- shift)
    }

    /// One round; the caller turns the names instead of moving the values.
    @inline(__always)
    private static func step(
        _ a: UInt64, _ b: UInt64, _ c: UInt64, _ d: inout UInt64, _ e: UInt64, _ f: UInt64, _ g: UInt64,
        _ h: inout UInt64, _ input: UInt64
    ) {
        let sum1 = rotate(e, 14) ^ rotate(e, 18) ^ rotate(e, 41)
        let choice = g ^ (e & (f ^ g))
        let first = h &+ sum1 &+ choice &+ input
        let sum0 = rotate(a, 28) ^ rotate(a, 34) ^ rotate(a, 39)
        let majority = (a & b) | (c & (a | b))
        d = d &+ first
        h = first &+ sum0 &+ majority
    }

    private static let constants: InlineArray<80, UInt64> = [
        0x428a_2f98_d728_ae22, 0x7137_4491_23ef_65cd, 0xb5c0_fbcf_ec4d_3b2f, 0xe9b5_dba5_8189_dbbc,
        0x3956_c25b_f348_b538, 0x59f1_11f1_b605_d019, 0x923f_82a4_af19_4f9b, 0xab1c_5ed5_da6d_8118,
        0xd807_aa98_a303_0242, 0x1283_5b01_4570_6fbe, 0x2431_85be_4ee4_b28c, 0x550c_7dc3_d5ff_b4e2,
        0x72be_5d74_f27b_896f, 0x80de_b1fe_3b16_96b1, 0x9bdc_06a7_25c7_1235, 0xc19b_f174_cf69_2694,
        0xe49b_69c1_9ef1_4ad2, 0xefbe_4786_384f_25e3, 0x0fc1_9dc6_8b8c_d5b5, 0x240c_a1cc_77ac_9c65,
        0x2de9_2c6f_592b_0275, 0x4a74_84aa_6ea6_e483, 0x5cb0_a9dc_bd41_fbd4, 0x76f9_88da_8311_53b5,
        0x983e_5152_ee66_dfab, 0xa831_c66d_2db4_3210, 0xb003_27c8_98fb_213f, 0xbf59_7fc7_beef_0ee4,
        0xc6e0_0bf3_3da8_8fc2, 0xd5a7_9147_930a_a725, 0x06ca_6351_e003_826f, 0x1429_2967_0a0e_6e70,
        0x27b7_0a85_46d2_2ffc, 0x2e1b_2138_5c26_c926, 0x4d2c_6dfc_5ac4_2aed, 0x5338_0d13_9d95_b3df,
        0x650a_7354_8baf_63de, 0x766a_0abb_3c77_b2a8, 0x81c2_c92e_47ed_aee6, 0x9272_2c85_1482_353b,
        0xa2bf_e8a1_4cf1_0364, 0xa81a_664b_bc42_3001, 0xc24b_8b70_d0f8_9791, 0xc76c_51a3_0654_be30,
        0xd192_e819_d6ef_5218, 0xd699_0624_5565_a910, 0xf40e_3585_5771_202a, 0x106a_a070_32bb_d1b8,
        0x19a4_c116_b8d2_d0c8, 0x1e37_6c08_5141_ab53, 0x2748_774c_df8e_eb99, 0x34b0_bcb5_e19b_48a8,
        0x391c_0cb3_c5c9_5a63, 0x4ed8_aa4a_e341_8acb, 0x5b9c_ca4f_7763_e373, 0x682e_6ff3_d6b2_b8a3,
        0x748f_82ee_5def_b2fc, 0x78a5_636f_4317_2f60, 0x84c8_7814_a1f0_ab72, 0x8cc7_0208_1a64_39ec,
        0x90be_fffa_2363_1e28, 0xa450_6ceb_de82_bde9, 0xbef9_a3f7_b2c6_7915, 0xc671_78f2_e372_532b,
        0xca27_3ece_ea26_619c, 0xd186_b8c7_21c0_c207, 0xeada_7dd6_cde0_eb1e, 0xf57d_4f7f_ee6e_d178,
        0x06f0_67aa_7217_6fba, 0x0a63_7dc5_a2c8_98a6, 0x113f_9804_bef9_0dae, 0x1b71_0b35_131c_471b,
        0x28db_77f5_2304_7d84, 0x32ca_ab7b_40c7_2493, 0x3c9e_be0a_15c9_bebc, 0x431d_67c4_9c10_0d4c,
        0x4cc5_d4be_cb3e_42b6, 0x597f_299c_fc65_7e2a, 0x5fcb_6fab_3ad6_faec, 0x6c44_198c_4a47_5817,
    ]
}
