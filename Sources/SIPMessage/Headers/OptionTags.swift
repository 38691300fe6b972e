import Primitives

/// A walk through the option tags of Require, Proxy-Require, Supported or Unsupported, over several lines and over commas
/// (RFC 3261 19.2, 20.29, 20.32, 20.37 and 20.40).
@frozen
public struct OptionTags: Sendable {
    private var values: HeaderValues

    init(_ values: HeaderValues) { self.values = values }

    /// The next tag, or nil at the end; empty list elements are skipped.
    ///
    /// What is no token is given as it came: whoever requires it requires an extension that nobody has.
    public mutating func next(in message: borrowing SIPMessage) -> ByteSlice? {
        while let tag = values.next(in: message) {
            if !tag.isEmpty { return tag }
        }
        return nil
    }
}

extension SIPMessage {
    /// The option tags of this header in order.
    public func optionTags(of name: HeaderName) -> OptionTags { OptionTags(values(of: name)) }

    /// True when this header lists the option tag, compared without case (7.3.1).
    public func hasOptionTag(_ tag: ByteSlice, in name: HeaderName) -> Bool {
        var tags = optionTags(of: name)
        while let found = tags.next(in: self) {
            if found.equalsIgnoringCase(tag) { return true }
        }
        return false
    }

    /// True when Supported lists the option tag (20.37).
    public func supports(_ tag: ByteSlice) -> Bool { hasOptionTag(tag, in: .supported) }

    /// True when Require lists the option tag (20.32).
    public func requires(_ tag: ByteSlice) -> Bool { hasOptionTag(tag, in: .require) }
}
