import Primitives

/// The bytes of a hash that do not fill a block yet, and how many there were in all. `size` is a power of two.
struct BlockBuffer<let size: Int>: Sendable {
    private var bytes = InlineArray<size, UInt8>(repeating: 0)
    private var length: UInt64 = 0

    private var filled: Int { Int(truncatingIfNeeded: length) & (size &- 1) }

    /// Adds bytes, and gives each full block to `compress`; blocks within `slice` are not copied.
    @inline(__always)
    mutating func append(_ slice: ByteSlice, compress: (UnsafeRawPointer) -> Void) {
        let filled = self.filled
        length &+= UInt64(truncatingIfNeeded: slice.count)
        slice.withUnsafeBytes { source in
            guard let start = source.baseAddress else { return }
            withUnsafeMutableBytes(of: &bytes) { buffer in
                // Bounds: `filled` < size = buffer.count, and no copy is longer than what is left of either side.
                guard let target = buffer.baseAddress else { return }
                var position = 0
                if filled > 0 {
                    position = min(source.count, size &- filled)
                    (target + filled).copyMemory(from: start, byteCount: position)
                    if filled &+ position < size { return }
                    compress(UnsafeRawPointer(target))
                }
                while source.count &- position >= size {
                    compress(start + position)
                    position &+= size
                }
                target.copyMemory(from: start + position, byteCount: source.count &- position)
            }
        }
    }

    /// Adds one byte.
    @inline(__always)
    mutating func append(byte: UInt8, compress: (UnsafeRawPointer) -> Void) {
        bytes[filled] = byte
        length &+= 1
        if filled == 0 { compressBuffer(compress) }
    }

    /// Pads with a one bit, zeros and the length in bits (RFC 1321 section 3.1, FIPS 180-4 section 5.1).
    @inline(__always)
    mutating func finish(lengthBytes: Int, bigEndian: Bool, compress: (UnsafeRawPointer) -> Void) {
        var end = filled
        bytes[end] = 0x80
        end &+= 1
        if end > size &- lengthBytes {
            clear(from: end)
            compressBuffer(compress)
            end = 0
        }
        clear(from: end)
        // The upper half of a 16-byte length stays zero: nobody hashes 2^61 bytes.
        let bits = length &* 8
        let field = bigEndian ? bits.bigEndian : bits.littleEndian
        withUnsafeMutableBytes(of: &bytes) { $0.storeBytes(of: field, toByteOffset: size &- 8, as: UInt64.self) }
        compressBuffer(compress)
    }

    @inline(__always)
    private mutating func clear(from start: Int) {
        withUnsafeMutableBytes(of: &bytes) { buffer in
            var index = start
            while index < buffer.count {
                buffer[index] = 0
                index &+= 1
            }
        }
    }

    @inline(__always)
    private func compressBuffer(_ compress: (UnsafeRawPointer) -> Void) {
        withUnsafeBytes(of: bytes) { buffer in
            if let start = buffer.baseAddress { compress(start) }
        }
    }
}
