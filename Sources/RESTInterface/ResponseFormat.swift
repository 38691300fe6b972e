import HTTPMessage

/// How a resource is written.
public enum ResponseFormat: Sendable {
    case json, xml

    /// The value of Content-Type.
    var contentType: String { self == .json ? "application/json" : "application/xml" }

    /// What a resource's `uri` ends with.
    var suffix: String { self == .json ? ".json" : "" }

    /// The format that a request asks for by suffix or Accept; XML for all else, as Restcomm does.
    init(of request: HTTPRequest) { self = request.wantsJSON == true ? .json : .xml }

    /// A path without the suffixes that ask for a format.
    static func withoutSuffixes(_ path: [String]) -> [String] {
        path.map { segment in
            for suffix in [".json", ".xml"] where segment.lowercased().hasSuffix(suffix) {
                return String(segment.dropLast(suffix.count))
            }
            return segment
        }
    }
}
