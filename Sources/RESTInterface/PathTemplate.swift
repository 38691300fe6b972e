/// The path of a resource with the places of its values: `/Accounts/{AccountSid}/Clients`.
struct PathTemplate: Sendable, Hashable {
    /// The text, as OpenAPI writes it.
    let text: String
    private let segments: [Segment]

    private enum Segment: Hashable {
        case literal(String)
        case value(String)
    }

    init(_ text: String) {
        self.text = text
        segments = text.split(separator: "/").map { part in
            part.hasPrefix("{") ? .value(String(part.dropFirst().dropLast())) : .literal(String(part))
        }
    }

    /// The names of the values.
    var names: [String] {
        segments.compactMap { if case .value(let name) = $0 { name } else { nil } }
    }

    /// The values by name when a path is of this form; nil for any other.
    func match(_ path: [String]) -> [String: String]? {
        guard path.count == segments.count else { return nil }
        var values: [String: String] = [:]
        for (segment, part) in zip(segments, path) {
            switch segment {
            case .literal(let text): if text != part { return nil }
            case .value(let name):
                if part.isEmpty { return nil }
                values[name] = part
            }
        }
        return values
    }
}
