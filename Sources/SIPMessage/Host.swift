import Primitives

/// The host of a URI or of Via's sent-by: an address, or a name to be resolved.
public enum Host: Sendable {
    case address(IPAddress)
    case name(ByteSlice)

    /// Reads a host; nil when it is neither an IPv4 address, nor an IPv6 address in brackets, nor a name.
    public init?(_ text: ByteSlice) {
        if text.first == UInt8(ascii: "[") {
            guard let address = IPAddress(text) else { return nil }
            self = .address(address)
        } else if let first = text.first, ASCII.isDigit(first), let address = IPAddress(text) {
            self = .address(address)
        } else {
            guard !text.isEmpty, text.count <= 255, text.allSatisfy(Host.isNameByte) else { return nil }
            self = .name(text)
        }
    }

    /// A byte of a host name. The underscore is not in RFC 3261's grammar but in names that people use.
    @inlinable
    public static func isNameByte(_ byte: UInt8) -> Bool {
        ASCII.isLetter(byte) || ASCII.isDigit(byte) || byte == UInt8(ascii: "-") || byte == UInt8(ascii: ".")
            || byte == UInt8(ascii: "_")
    }
}
