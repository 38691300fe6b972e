import Primitives

/// Characters of URIs and their `%HH` escapes (RFC 3261 19.1.2).
extension ByteSlice {
    /// True when each `%` is followed by two hexadecimal digits.
    public var hasValidEscapes: Bool {
        var index = 0
        while let percent = firstIndex(of: UInt8(ascii: "%"), from: index) {
            guard percent + 2 < count, ASCII.hexadecimalValue(self[percent + 1]) != nil,
                ASCII.hexadecimalValue(self[percent + 2]) != nil
            else { return false }
            index = percent + 3
        }
        return true
    }

    /// The byte at `index` with an escape `%HH` decoded, and how many bytes of text it took.
    public func unescapedByte(at index: Int) -> (byte: UInt8, length: Int) {
        if self[index] == UInt8(ascii: "%"), index + 2 < count, let high = ASCII.hexadecimalValue(self[index + 1]),
            let low = ASCII.hexadecimalValue(self[index + 2])
        {
            return (high << 4 | low, 3)
        }
        return (self[index], 1)
    }

    /// True when the bytes are equal once `%HH` escapes are decoded: how a user is compared with a login.
    public func equalsUnescaped(_ other: ByteSlice) -> Bool {
        equalsUnescaped(other, ignoringCase: false, escapedReservedDiffers: false)
    }

    /// True when two parts of URIs are the same as RFC 3261 19.1.4 compares them: an escape is the character that it
    /// stands for, unless that is a reserved one, which an escape makes another.
    func isEquivalentURIPart(to other: ByteSlice, ignoringCase: Bool) -> Bool {
        equalsUnescaped(other, ignoringCase: ignoringCase, escapedReservedDiffers: true)
    }

    private func equalsUnescaped(_ other: ByteSlice, ignoringCase: Bool, escapedReservedDiffers: Bool) -> Bool {
        var left = 0
        var right = 0
        while left < count, right < other.count {
            let (leftByte, leftLength) = unescapedByte(at: left)
            let (rightByte, rightLength) = other.unescapedByte(at: right)
            if leftByte != rightByte {
                if !ignoringCase || ASCII.lowercase(leftByte) != ASCII.lowercase(rightByte) { return false }
            }
            if escapedReservedDiffers, leftLength != rightLength, ASCII.isReserved(leftByte) { return false }
            left += leftLength
            right += rightLength
        }
        return left == count && right == other.count
    }

    /// True for `scheme:` and anything behind it that could stand in a URI, as in a Request-URI or an addr-spec.
    var isAbsoluteURI: Bool {
        guard let first, ASCII.isLetter(first) else { return false }
        var colon = 1
        while colon < count,
            ASCII.isLetter(self[colon]) || ASCII.isDigit(self[colon]) || ASCII.isSchemeMark(self[colon])
        {
            colon += 1
        }
        guard colon + 1 < count, self[colon] == UInt8(ascii: ":") else { return false }
        for index in colon + 1..<count where !ASCII.isURIByte(self[index]) && self[index] < 128 { return false }
        return true
    }
}

extension ASCII {
    /// Visible ASCII but `"`, `<` and `>`, which no URI has.
    static func isURIByte(_ byte: UInt8) -> Bool {
        byte > 32 && byte < 127 && byte != UInt8(ascii: "\"") && byte != UInt8(ascii: "<") && byte != UInt8(ascii: ">")
    }

    /// A byte of `reserved` (RFC 3261 25.1).
    static func isReserved(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: ";"), UInt8(ascii: "/"), UInt8(ascii: "?"), UInt8(ascii: ":"), UInt8(ascii: "@"),
            UInt8(ascii: "&"), UInt8(ascii: "="), UInt8(ascii: "+"), UInt8(ascii: "$"), UInt8(ascii: ","):
            true
        default: false
        }
    }

    /// `+`, `-` or `.`: what a scheme may have beside letters and digits.
    fileprivate static func isSchemeMark(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: "+") || byte == UInt8(ascii: "-") || byte == UInt8(ascii: ".")
    }
}

extension ByteWriter {
    /// Appends a text with its `%HH` escapes decoded.
    public mutating func append(unescaped text: ByteSlice) {
        var index = 0
        while index < text.count {
            let (byte, length) = text.unescapedByte(at: index)
            append(byte: byte)
            index += length
        }
    }
}
