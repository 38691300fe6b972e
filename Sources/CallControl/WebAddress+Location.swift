extension WebAddress {
    /// The absolute URL that a Location field means (RFC 9110 section 10.2.2) in an answer to `base`; nil when it is none.
    public static func location(_ text: String, against base: String) -> String? {
        guard case .success(let url) = resolve(text, against: base, limit: 8192) else { return nil }
        return url
    }
}
