import Primitives

/// A message that the server wants sent, as text.
struct Sent: CustomStringConvertible {
    var flow: Flow
    var bytes: [UInt8]
    var origin: UInt64

    var description: String { "\(summary) to \(flow.remote)" }
    var text: String { String(decoding: bytes, as: UTF8.self) }
    var lines: [String] {
        text.split(separator: "\r\n", omittingEmptySubsequences: false).map(String.init)
    }
    var startLine: String { lines.first ?? "" }
    var isRequest: Bool { !startLine.hasPrefix("SIP/2.0 ") }
    /// The method of a request; empty for a response.
    var method: String { isRequest ? String(startLine.prefix { $0 != " " }) : "" }
    var requestURI: String {
        let words = startLine.split(separator: " ")
        return isRequest && words.count == 3 ? String(words[1]) : ""
    }
    /// The status of a response; 0 for a request.
    var status: Int { isRequest ? 0 : Int(startLine.dropFirst(8).prefix(3)) ?? 0 }
    /// `INVITE` for a request, `180 INVITE` for a response.
    var summary: String {
        isRequest ? method : "\(status) \(self["CSeq"].split(separator: " ").last ?? "")"
    }
    var body: String {
        guard let end = lines.firstIndex(of: "") else { return "" }
        return lines[(end + 1)...].joined(separator: "\r\n")
    }

    /// The header lines with this name, values only.
    func values(_ name: String) -> [String] {
        let end = lines.firstIndex(of: "") ?? lines.count
        return lines[..<end].filter { $0.lowercased().hasPrefix(name.lowercased() + ":") }.map {
            String($0.dropFirst(name.count + 1).drop { $0 == " " })
        }
    }

    /// The first value of a header; empty when there is none.
    subscript(name: String) -> String { values(name).first ?? "" }

    /// The value of a parameter in a header's first value.
    func parameter(_ parameter: String, of name: String) -> String? {
        self[name].split(separator: ";").first { $0.hasPrefix(parameter + "=") }.map {
            String($0.dropFirst(parameter.count + 1).prefix { $0 != ">" })
        }
    }

    var branch: String { parameter("branch", of: "Via") ?? "" }
    var toTag: String? { parameter("tag", of: "To") }
}

extension [Sent] {
    var summaries: [String] { map(\.summary) }
    /// The requests with this method, in order.
    func requests(_ method: String) -> [Sent] { filter { $0.method == method } }
    func responses(_ status: Int) -> [Sent] { filter { $0.status == status } }
    func to(_ device: Device) -> [Sent] { filter { $0.flow == device.flow } }
}
