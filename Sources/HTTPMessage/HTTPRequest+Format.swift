import Primitives

extension HTTPRequest {
    /// Whether the sender wants JSON rather than XML: true or false when the path or Accept says so, else nil.
    ///
    /// `.json` or `.xml` at the end of a path segment, the last one first, wins over Accept.
    public var wantsJSON: Bool? { Self.wantsJSON(path: rawPath, accept: headers["Accept"]) }

    /// The same for a request of which these parts are known.
    static func wantsJSON(path: String, accept: String?) -> Bool? {
        let format = path.withSlice { path -> Bool? in
            var end = path.count
            while end > 0 {
                let slash = path.prefix(end).lastIndex(of: UInt8(ascii: "/"))
                let segment = path[(slash.map { $0 + 1 } ?? 0)..<end]
                if segment.from(segment.count - 5).equalsIgnoringCase(".json") { return true }
                if segment.from(segment.count - 4).equalsIgnoringCase(".xml") { return false }
                end = slash ?? 0
            }
            return nil
        }
        if let format { return format }
        guard let accept else { return nil }
        return accept.withSlice { $0.containsIgnoringCase("json") }
    }
}
