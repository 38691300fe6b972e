import Primitives

/// A walk through all values of one header, over several lines and over commas; `next(in:)` gives them one by one.
@frozen
public struct HeaderValues: Sendable {
    let name: HeaderName
    var field: Int
    var offset = 0

    init(_ name: HeaderName, _ field: Int) {
        self.name = name
        self.field = field
    }

    /// The next value, or nil at the end. Empty values (`a,,b`) are given as empty slices.
    public mutating func next(in message: borrowing SIPMessage) -> ByteSlice? {
        while field < message.fieldCount {
            let entry = message.field(field)
            if entry.name == name {
                let value = message.value(entry)
                // Behind the last value the offset is one beyond the end; behind a last comma it is the end.
                if offset <= value.count {
                    let end = value.endOfValue(from: offset)
                    let part = value[offset..<end].trimmed()
                    offset = end + 1
                    return part
                }
            }
            field += 1
            offset = 0
        }
        return nil
    }
}

extension ByteSlice {
    /// The index of the comma that ends the value at `start`, commas in quoted strings and angle brackets not counted;
    /// `count` when there is none.
    public func endOfValue(from start: Int) -> Int {
        var index = start
        var isQuoted = false
        var isBracketed = false
        while index < count {
            switch self[index] {
            case UInt8(ascii: "\\") where isQuoted: index += 1
            case UInt8(ascii: "\""): if !isBracketed { isQuoted.toggle() }
            case UInt8(ascii: "<") where !isQuoted: isBracketed = true
            case UInt8(ascii: ">") where !isQuoted: isBracketed = false
            case UInt8(ascii: ",") where !isQuoted && !isBracketed: return index
            default: break
            }
            index += 1
        }
        return count
    }
}
