import Primitives

/// A telephone URI (RFC 3966), as parts of its text.
@frozen
public struct TelURI: Sendable {
    /// The number as written, visual separators included.
    public var number: ByteSlice
    /// The parameters, `phone-context` among them.
    public var parameters: Parameters

    /// Reads a URI; nil when it is of another scheme or malformed. A local number must have a `phone-context`.
    public init?(_ text: ByteSlice) {
        guard text.starts(withIgnoringCase: "tel:") else { return nil }
        let rest = text.from(4)
        let end = rest.firstIndex(of: UInt8(ascii: ";")) ?? rest.count
        number = rest[0..<end]
        parameters = Parameters(rest.from(end))
        let isGlobal = number.first == UInt8(ascii: "+")
        let isLocal = !isGlobal && parameters["phone-context"] != nil
        guard isGlobal || isLocal, number.count <= 64, parameters.isWellFormed else { return nil }
        var digits = 0
        for index in (isGlobal ? 1 : 0)..<number.count {
            switch number[index] {
            case UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "("), UInt8(ascii: ")"): continue
            case UInt8(ascii: "0")...UInt8(ascii: "9"): digits += 1
            case UInt8(ascii: "*"), UInt8(ascii: "#"), UInt8(ascii: "a")...UInt8(ascii: "f"),
                UInt8(ascii: "A")...UInt8(ascii: "F"):
                guard isLocal else { return nil }
                digits += 1
            default: return nil
            }
        }
        guard digits > 0 else { return nil }
    }

    /// The number without its visual separators, which mean nothing (RFC 3966 section 5.1.1).
    public var plainNumber: [UInt8] {
        number.bytes.filter { byte in
            switch byte {
            case UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "("), UInt8(ascii: ")"): false
            default: true
            }
        }
    }
}
