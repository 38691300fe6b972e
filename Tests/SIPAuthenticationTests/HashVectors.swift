import Primitives
import SIPAuthentication

/// What the hash tests share.
enum HashVectors {
    /// The hexadecimal hash of a text.
    static func hash<Function: HashFunction>(_ text: String, _: Function.Type) -> String {
        var function = Function()
        text.withSlice { function.update($0) }
        return hexadecimal(function.finalize())
    }

    /// The hash of the hashes of 300 inputs of 0 to 299 bytes, each given in two pieces with a single byte between
    /// them, so that every fill of the block buffer meets every kind of update.
    static func hashOfPieces<Function: HashFunction>(_: Function.Type) -> String {
        var text = ""
        for length in 0..<300 {
            let bytes = (0..<length).map { UInt8(truncatingIfNeeded: $0 * 7 + length) }
            bytes.withSlice { slice in
                var function = Function()
                let cut = length / 3
                function.update(slice.prefix(cut))
                if cut < length { function.update(byte: slice[cut]) }
                function.update(slice.from(cut + 1))
                text += hexadecimal(function.finalize())
            }
        }
        return hash(text, Function.self)
    }

    /// A digest as text.
    static func hexadecimal(_ digest: HashDigest) -> String { digest.hexadecimal.withSlice { $0.string } }

    /// 56 bytes: the length does not fit the last block of a 64-byte hash any more.
    static let twoBlocks = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"
    /// 112 bytes: the same for a hash of 128-byte blocks.
    static let twoLongBlocks =
        "abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu"
}
