/// A view of bytes that somebody else owns: a pointer and a length, nothing more.
///
/// It is what a message, a header value or a URI part is on the packet path (the `struct pl` of the C stacks). Every
/// access is bounds-checked in release builds too. A slice is valid while its buffer is: it must not be kept beyond
/// the handling of the packet or the life of the array it was taken from; what lives longer is copied (`bytes`).
@frozen
public struct ByteSlice: ExpressibleByStringLiteral, @unchecked Sendable {
    // Unchecked: the bytes behind a slice are not written while slices of them are in use.
    @usableFromInline let base: UnsafePointer<UInt8>
    /// Length in bytes.
    public let count: Int

    /// A view of `count` bytes at `base`; the caller vouches that they exist.
    @inlinable
    public init(base: UnsafePointer<UInt8>, count: Int) {
        precondition(count >= 0)
        self.base = base
        self.count = count
    }

    /// A view of static text; costs nothing at run time.
    @inlinable
    public init(stringLiteral value: StaticString) {
        base = value.utf8Start
        count = value.utf8CodeUnitCount
    }

    /// The empty slice.
    @inlinable public static var empty: ByteSlice { "" }

    /// A view of a raw buffer; empty when the buffer has no address.
    @inlinable
    public init(_ buffer: UnsafeRawBufferPointer) {
        if let address = buffer.baseAddress {
            self.init(base: address.assumingMemoryBound(to: UInt8.self), count: buffer.count)
        } else {
            self = .empty
        }
    }

    /// True when there is no byte.
    @inlinable public var isEmpty: Bool { count == 0 }

    /// The byte at `index`.
    @inlinable
    public subscript(index: Int) -> UInt8 {
        precondition(UInt(bitPattern: index) < UInt(bitPattern: count), "byte index out of range")
        return base[index]
    }

    /// The part from `range.lowerBound` up to `range.upperBound`.
    @inlinable
    public subscript(range: Range<Int>) -> ByteSlice {
        precondition(range.lowerBound >= 0 && range.upperBound <= count, "byte range out of range")
        return ByteSlice(base: base + range.lowerBound, count: range.upperBound - range.lowerBound)
    }

    /// The part from `start` to the end; empty when `start` is beyond it.
    @inlinable
    public func from(_ start: Int) -> ByteSlice {
        start >= count ? ByteSlice(base: base + count, count: 0) : self[max(0, start)..<count]
    }

    /// The first `length` bytes, or all when there are fewer.
    @inlinable
    public func prefix(_ length: Int) -> ByteSlice { self[0..<min(max(0, length), count)] }

    /// The distance in bytes from the start of `outer`, which this slice must be a part of.
    @inlinable
    public func offset(in outer: ByteSlice) -> Int {
        let distance = base - outer.base
        precondition(distance >= 0 && distance + count <= outer.count, "not a part of that slice")
        return distance
    }

    /// The first byte, if any.
    @inlinable public var first: UInt8? { count > 0 ? base[0] : nil }
    /// The last byte, if any.
    @inlinable public var last: UInt8? { count > 0 ? base[count - 1] : nil }

    /// A copy that may be kept.
    public var bytes: [UInt8] { [UInt8](UnsafeBufferPointer(start: base, count: count)) }

    /// A copy as text; invalid UTF-8 becomes U+FFFD. For logs, the API and the command line, never per packet.
    public var string: String { String(decoding: UnsafeBufferPointer(start: base, count: count), as: UTF8.self) }

    /// Calls `body` with the bytes as an unsafe buffer, for hashing and copying.
    @inlinable
    public func withUnsafeBytes<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
        try body(UnsafeRawBufferPointer(start: base, count: count))
    }

    /// Eight bytes at `index` in host order; the caller has checked that they exist.
    @inlinable
    func word(at index: Int) -> UInt64 {
        UnsafeRawPointer(base + index).loadUnaligned(as: UInt64.self)
    }
}

extension ByteSlice: Equatable {
    /// Equality of the bytes.
    @inlinable
    public static func == (left: ByteSlice, right: ByteSlice) -> Bool {
        let count = left.count
        if count != right.count { return false }
        var index = 0
        while index &+ 8 <= count {
            if left.word(at: index) != right.word(at: index) { return false }
            index &+= 8
        }
        while index < count {
            if left.base[index] != right.base[index] { return false }
            index &+= 1
        }
        return true
    }
}

extension [UInt8] {
    /// Calls `body` with a slice of the array's bytes, valid for the call.
    @inlinable
    public func withSlice<Result>(_ body: (ByteSlice) throws -> Result) rethrows -> Result {
        try withUnsafeBytes { try body(ByteSlice($0)) }
    }
}

extension String {
    /// Calls `body` with a slice of the text's UTF-8 bytes, valid for the call.
    public func withSlice<Result>(_ body: (ByteSlice) throws -> Result) rethrows -> Result {
        var copy = self
        return try copy.withUTF8 { try body(ByteSlice(UnsafeRawBufferPointer($0))) }
    }
}
