import Primitives

/// A request to an application: what the edge needs to make it.
public struct WebhookRequest: Equatable, Sendable {
    /// Tells the answers of one call or text apart; 0 for a callback, whose answer is only logged.
    public var id: UInt32
    /// Where it goes; the URL is absolute.
    public var address: WebAddress
    /// The parameters in their order: added to the query of a GET, the body of a POST.
    public var parameters: [Parameter]
    /// Signs the request (`X-Rollcall-Signature`): the AuthToken of the account.
    public var secret: String

    /// A parameter of a request.
    public struct Parameter: Equatable, Sendable {
        /// The name.
        public var name: String
        /// The value.
        public var value: String

        /// With these parts.
        public init(_ name: String, _ value: String) {
            self.name = name
            self.value = value
        }

        /// True when it can be a header of a SIP message that an application sets: the name is a token (RFC 3261 section
        /// 25.1) that begins with `X-`, the value is one line, and neither is long.
        public var canBeHeader: Bool {
            name.lowercased().hasPrefix("x-") && (3...128).contains(name.utf8.count)
                && name.utf8.allSatisfy {
                    (0x30...0x39).contains($0) || (0x41...0x5A).contains($0 & 0xDF) || "-.!%*_+`'~".utf8.contains($0)
                }
                && value.utf8.count <= 512
                && !value.unicodeScalars.contains { $0.value < 0x20 || (0x7F...0x9F).contains($0.value) }
        }
    }

    /// All parts.
    public init(id: UInt32, address: WebAddress, parameters: [Parameter], secret: String) {
        self.id = id
        self.address = address
        self.parameters = parameters
        self.secret = secret
    }
}

/// What came of a `WebhookRequest`. The edge has parsed the document already, outside of any lock of the SIP server.
public enum WebhookAnswer: Equatable, Sendable {
    /// A 200 with a document that can be run; `headers` are the answer's own whose names begin with `X-`.
    case document(RCMLDocument, headers: [WebhookRequest.Parameter])
    /// Nothing that can be run.
    case failed(WebhookFailure)
}

/// Why an application gave no document.
public struct WebhookFailure: Error, Equatable, Sendable {
    /// What went wrong.
    public enum Kind: Equatable, Sendable {
        /// The URL cannot be used, or the operator does not allow where it leads.
        case refused
        /// The name has no address.
        case name
        /// Nothing could be sent or read: no connection, or it broke.
        case connection
        /// The certificate is not one that can be trusted.
        case certificate
        /// No complete answer in time.
        case timeout
        /// Another status than 200.
        case status(Int)
        /// The body is longer than allowed.
        case tooLarge
        /// More redirects than allowed.
        case redirects
        /// A type of content that cannot be run.
        case contentType
        /// The body is not well-formed, or not RCML.
        case document
    }

    /// What kind it is.
    public var kind: Kind
    /// What is kept with the call: it names the URL, and for a document line and column.
    public var notification: CallNotification

    /// With these parts.
    public init(_ kind: Kind, _ notification: CallNotification) {
        self.kind = kind
        self.notification = notification
    }
}
