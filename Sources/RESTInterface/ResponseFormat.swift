import HTTPMessage

/// How a resource is written.
public enum ResponseFormat: Sendable {
    case json, xml

    /// The value of Content-Type.
    var contentType: String { self == .json ? "application/json" : "application/xml" }

    /// What a resource's `uri` ends with.
    var suffix: String { self == .json ? ".json" : "" }

    /// Takes the format that a path asks for by suffix off its segments; the last one counts.
    ///
    /// - Returns: nil when there is no suffix.
    static func removeSuffixes(from path: inout [String]) -> ResponseFormat? {
        var found: ResponseFormat?
        for index in path.indices {
            for (suffix, format) in [(".json", ResponseFormat.json), (".xml", .xml)] where path[index].hasSuffix(suffix) {
                path[index].removeLast(suffix.count)
                found = format
            }
        }
        return found
    }

    /// The format that Accept asks for: JSON where it names it, XML for all else, as Restcomm does.
    init(accept: String?) { self = accept?.lowercased().contains("json") == true ? .json : .xml }
}
