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

    /// True when a path is of this form.
    func matches(_ path: [String]) -> Bool {
        guard path.count == segments.count else { return false }
        for (segment, part) in zip(segments, path) {
            switch segment {
            case .literal(let text): if text != part { return false }
            case .value: if part.isEmpty { return false }
            }
        }
        return true
    }

    /// The values by name of a path of this form.
    func values(of path: [String]) -> [String: String] {
        var values: [String: String] = [:]
        for (segment, part) in zip(segments, path) {
            if case .value(let name) = segment { values[name] = part }
        }
        return values
    }
}
