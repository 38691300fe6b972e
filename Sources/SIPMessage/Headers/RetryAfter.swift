import Primitives

/// The value of Retry-After: how long a peer will not serve (RFC 3261 20.33).
@frozen
public struct RetryAfter: Sendable {
    /// The seconds to wait.
    public var delay: DeltaSeconds
    /// What is between the parentheses of the comment, escapes and comments within it left in; nil when absent.
    public var comment: ByteSlice?
    /// How long the peer will be there after that; nil when absent: for good.
    public var duration: DeltaSeconds?
    /// All parameters, the duration included.
    public var parameters: Parameters

    /// Reads the value; nil when it is malformed or has two durations, which others would read differently.
    public init?(_ value: ByteSlice) {
        var end = 0
        while end < value.count, ASCII.isDigit(value[end]) { end += 1 }
        guard let delay = DeltaSeconds(value[0..<end]) else { return nil }
        self.delay = delay
        let start = value.skippingWhiteSpace(from: end)
        if start < value.count, value[start] == UInt8(ascii: "(") {
            guard let close = value.endOfComment(from: start) else { return nil }
            comment = value[start + 1..<close]
            end = close + 1
        }
        parameters = Parameters(value.from(end))
        var offset = 0
        while let parameter = parameters.next(from: &offset) {
            guard parameter.name.equalsIgnoringCase("duration") else { continue }
            guard duration == nil, let number = DeltaSeconds(parameter.value) else { return nil }
            duration = number
        }
        guard parameters.isEnd(offset) else { return nil }
    }
}

extension SIPMessage {
    /// Retry-After; nil when absent or malformed (20.33).
    public var retryAfter: RetryAfter? { value(of: .retryAfter).flatMap { RetryAfter($0) } }
}
