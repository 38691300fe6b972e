extension WebAddress {
    /// The absolute URL that a Location field means (RFC 9110 section 10.2.2) in an answer to `base`; nil when it is none.
    public static func location(_ text: String, against base: String) -> String? {
        guard case .success(let url) = resolve(text, against: base, limit: 8192) else { return nil }
        return url
    }
}

extension WebAddress {
    /// A URL as it is shown to people, in logs, notifications and messages: without its query, user and password.
    public static func withoutCredentials(_ url: String) -> String {
        let shown = String(url.unicodeScalars.prefix { $0 != "?" && $0 != "#" })
        guard let slash = shown.firstIndex(of: "/"), shown[slash...].hasPrefix("//") else {
            // Not one that can be used: what is before an @ can be a password.
            return shown.lastIndex(of: "@").map { String(shown[shown.index(after: $0)...]) } ?? shown
        }
        let start = shown.index(slash, offsetBy: 2)
        let end = shown[start...].firstIndex(of: "/") ?? shown.endIndex
        guard let at = shown[start..<end].lastIndex(of: "@") else { return shown }
        return String(shown[..<start] + shown[shown.index(after: at)...])
    }
}
