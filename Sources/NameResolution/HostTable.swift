import DNSMessage
import Primitives

/// The names of /etc/hosts, and `localhost` (RFC 6761 section 6.3): they are never asked for.
public struct HostTable: Sendable {
    private var addresses: [DNSName: [IPAddress]] = [:]
    private static let localhost = Array("localhost".utf8)
    /// Names that are kept.
    private static let limit = 10_000

    /// A table that knows localhost alone.
    public init() {}

    /// Reads a file of hosts(5): an address and its names a line, `#` begins a comment. Lines that are not so are left out.
    public init(file: ByteSlice) {
        var start = 0
        while start < file.count {
            let end = file.firstIndex(of: ASCII.lineFeed, from: start) ?? file.count
            read(line: file[start..<end])
            start = end + 1
        }
    }

    private mutating func read(line: ByteSlice) {
        let words = line.words(commentAt: [UInt8(ascii: "#")])
        guard let first = words.first, let address = IPAddress(first) else { return }
        for word in words.dropFirst() {
            guard let name = DNSName(host: word), addresses.count < Self.limit else { continue }
            let known = addresses[name] ?? []
            if known.count < DNSResponse.recordLimit, !known.contains(address) { addresses[name] = known + [address] }
        }
    }

    /// The answer of the table to a question; nil for a name that it does not have. A name that it has is a host, and
    /// nothing but a host: it has no service records.
    func result(of question: Question) -> LookupResult? {
        var found = addresses[question.name]
        if found == nil, question.name.lastLabel.elementsEqual(Self.localhost) {
            found = [IPAddress(ipv4: 0x7f00_0001), IPAddress(high: 0, low: 1)]
        }
        guard let found else { return service(question) }
        let suiting = found.filter {
            question.type == .a ? $0.isIPv4 : question.type == .aaaa && !$0.isIPv4
        }
        return suiting.isEmpty ? LookupResult.absent : .records(suiting.map { .address($0) })
    }

    /// `_sip._udp` of a host of the table has no SRV records.
    private func service(_ question: Question) -> LookupResult? {
        guard question.type == .srv, let host = question.name.withoutService,
            addresses[host] != nil || host.lastLabel.elementsEqual(Self.localhost)
        else { return nil }
        return LookupResult.absent
    }
}

extension ByteSlice {
    /// The words of a line, up to a byte that begins a comment.
    func words(commentAt comments: [UInt8]) -> [ByteSlice] {
        var words: [ByteSlice] = []
        var start = 0
        while start < count {
            if comments.contains(self[start]) { break }
            if ASCII.isLinearWhiteSpace(self[start]) {
                start += 1
                continue
            }
            var end = start
            while end < count, !ASCII.isLinearWhiteSpace(self[end]), !comments.contains(self[end]) { end += 1 }
            words.append(self[start..<end])
            start = end
        }
        return words
    }
}
