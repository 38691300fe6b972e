extension SIPMessage {
    /// True when there is a Via value below the topmost one: the message has passed a proxy, or was made by none.
    public var hasLowerVia: Bool {
        guard let first = firstIndex(of: .via) else { return false }
        if value(field(first)).count > topVia.text.count { return true }
        for index in first + 1..<fieldCount where field(index).name == .via { return true }
        return false
    }
}
