import Primitives

extension ByteSlice {
    /// The index of the parenthesis that closes the comment which opens at `start`, comments within it and escapes passed
    /// over (RFC 3261 25.1, `comment`); nil when none opens there, when it is not closed, and for control characters.
    public func endOfComment(from start: Int) -> Int? {
        guard start >= 0, start < count, self[start] == UInt8(ascii: "(") else { return nil }
        // Counted, not recursive: a peer decides how deep it goes.
        var depth = 0
        var index = start
        while index < count {
            switch self[index] {
            case UInt8(ascii: "("): depth += 1
            case UInt8(ascii: ")"):
                depth -= 1
                if depth == 0 { return index }
            case UInt8(ascii: "\\"):
                // A quoted-pair may not hide a line end.
                index += 1
                if index < count, self[index] == ASCII.carriageReturn || self[index] == ASCII.lineFeed { return nil }
            case let byte where byte < 32 && !ASCII.isLinearWhiteSpace(byte) || byte == 127: return nil
            default: break
            }
            index += 1
        }
        return nil
    }
}
