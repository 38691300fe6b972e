import Primitives
import SIPMessage

/// Reads two lines as URIs, addresses and hosts. Comparing two URIs must not depend on which is first.
func fuzzURI(_ input: ByteSlice) {
    let end = input.firstIndex(of: ASCII.lineFeed) ?? input.count
    let (first, second) = (input[0..<end], input.from(end + 1))
    for text in [first, second] {
        read(text)
        if let address = NameAddress(text) {
            require(address.uri.offset(in: text) >= 0, "the URI is not a part of the address")
            if let tag = address.tag, !tag.isEmpty { _ = tag.offset(in: text) }
            read(address.uri)
        }
    }
    guard let one = SIPURI(first), let other = SIPURI(second) else { return }
    require(
        one.isEquivalent(to: other) == other.isEquivalent(to: one),
        "the comparison depends on the order: \(first.string) \(second.string)")
    require(
        one.user.equalsUnescaped(other.user) == other.user.equalsUnescaped(one.user),
        "the comparison of users depends on the order: \(first.string) \(second.string)")
    if first == second { require(one.isEquivalent(to: other), "a URI is not itself: \(first.string)") }
}

private func read(_ text: ByteSlice) {
    if let uri = SIPURI(text) {
        require(uri.isEquivalent(to: uri), "a URI is not itself: \(text.string)")
        require(uri.port != 0, "a port of 0")
        _ = (uri.transport, uri.isLooseRouter, uri.parameter("maddr"), Host(uri.host) == nil)
        var writer = ByteWriter(capacity: 64)
        writer.append(unescaped: uri.user)
        require(writer.count <= uri.user.count, "escapes grow when they are decoded")
        require(
            writer.slice.bytes.withSlice { uri.user.equalsUnescaped($0) } || writer.slice.contains(escape: "%"),
            "a user is not the same once decoded: \(text.string)")
    }
    if let uri = TelURI(text) {
        require(!uri.plainNumber.isEmpty, "a number without digits")
        _ = uri.parameters.isWellFormed
    }
    if let address = IPAddress(text) {
        var writer = ByteWriter(capacity: 64)
        writer.append(address, bracketed: false)
        require(IPAddress(writer.slice) == address, "an address reads differently once written: \(text.string)")
    }
    var offset = 0
    let parameters = Parameters(text)
    while let parameter = parameters.next(from: &offset) {
        require(offset <= text.count && parameter.end == offset, "a parameter ends beyond its text")
    }
}

extension ByteSlice {
    /// True when the byte occurs somewhere.
    fileprivate func contains(escape byte: Unicode.Scalar) -> Bool { firstIndex(of: UInt8(ascii: byte)) != nil }
}
