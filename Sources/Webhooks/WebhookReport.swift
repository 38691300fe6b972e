import CallControl

/// What came of a request, with what is told about it.
public struct WebhookReport: Sendable {
    /// For the program that asked. Of a callback it is a document without verbs when the status was a 2xx.
    public var answer: WebhookAnswer
    /// The last status; nil when there was none.
    public var status: Int?
    /// The milliseconds that it took, its turn included.
    public var milliseconds: UInt64
    /// The last URL, without query and credentials.
    public var url: String
    /// The body of the last answer.
    public var body: [UInt8] = []
    /// The type of its content; nil for none.
    public var contentType: String?

    /// True when something can be made of it.
    public var isGood: Bool { if case .document = answer { true } else { false } }
}
