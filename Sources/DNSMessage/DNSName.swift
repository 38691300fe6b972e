import Primitives

/// A domain name (RFC 1035 section 3.1) in its wire form without the empty label of the root: a length and so many bytes
/// for each label, in lower case.
public struct DNSName: Hashable, Sendable {
    /// The labels; empty for the root.
    public let labels: [UInt8]

    /// The longest name in wire form, without the empty label of the root (RFC 1035 section 2.3.4: 255 with it).
    public static let limit = 254
    /// The name of the root, which as the target of SRV says that there is no such service.
    public static let root = DNSName(labels: [])

    /// A name with labels that were checked.
    init(labels: [UInt8]) { self.labels = labels }

    /// Reads a host name as text, with or without a dot at its end; nil when a label is empty or longer than 63 bytes, or
    /// the whole too long.
    public init?(host: ByteSlice) {
        var text = host
        if text.last == UInt8(ascii: ".") { text = text[0..<text.count - 1] }
        guard !text.isEmpty, text.count < DNSName.limit else { return nil }
        var labels: [UInt8] = []
        labels.reserveCapacity(text.count + 1)
        var start = 0
        while true {
            let end = text.firstIndex(of: UInt8(ascii: "."), from: start) ?? text.count
            guard end > start, end - start <= 63 else { return nil }
            labels.append(UInt8(end - start))
            for index in start..<end {
                if text[index] == 0 { return nil }
                labels.append(ASCII.lowercase(text[index]))
            }
            if end == text.count { break }
            start = end + 1
        }
        self.labels = labels
    }

    /// True for the root.
    public var isRoot: Bool { labels.isEmpty }

    /// This name below two more labels, such as `_sip` and `_udp`; nil when it becomes too long.
    public func below(_ first: ByteSlice, _ second: ByteSlice) -> DNSName? {
        guard first.count <= 63, second.count <= 63, labels.count + first.count + second.count + 2 <= DNSName.limit
        else { return nil }
        return DNSName(
            labels: [UInt8(first.count)] + first.bytes + [UInt8(second.count)] + second.bytes + labels)
    }

    /// The name behind two leading labels that begin with an underscore, such as `_sip._udp`; nil for another name.
    public var withoutService: DNSName? {
        var position = 0
        for _ in 0..<2 {
            guard position + 1 < labels.count, labels[position + 1] == UInt8(ascii: "_") else { return nil }
            position += 1 + Int(labels[position])
        }
        return position < labels.count ? DNSName(labels: Array(labels[position...])) : nil
    }

    /// The last label.
    public var lastLabel: ArraySlice<UInt8> {
        var position = 0
        while position < labels.count {
            let end = position + 1 + Int(labels[position])
            if end >= labels.count { return labels[min(position + 1, labels.count)...] }
            position = end
        }
        return []
    }

    /// The name as text without a dot at its end; bytes that a host name does not have are written as `?`.
    public var text: [UInt8] {
        if isRoot { return [UInt8(ascii: ".")] }
        var text: [UInt8] = []
        var position = 0
        while position < labels.count {
            if position > 0 { text.append(UInt8(ascii: ".")) }
            let end = min(labels.count, position + 1 + Int(labels[position]))
            for byte in labels[position + 1..<end] {
                text.append(byte > 0x20 && byte < 0x7f && byte != UInt8(ascii: ".") ? byte : UInt8(ascii: "?"))
            }
            position = end
        }
        return text
    }
}
