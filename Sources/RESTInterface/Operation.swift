import HTTPMessage

/// Something that a request can do: the one table of operations routes requests, checks their parameters, and is what
/// OpenAPI shows.
struct Operation: Sendable {
    /// What a successful answer holds.
    enum Content: Sendable {
        /// Nothing.
        case empty
        /// One resource.
        case resource(Schema)
        /// An array of resources.
        case array(Schema)
        /// A page of resources: an object with them under this name.
        case page(Schema, String)
    }

    /// The name in OpenAPI.
    let name: String
    let method: HTTPMethod
    let path: PathTemplate
    /// What it does, in one sentence.
    let summary: String
    let parameters: [Parameter]
    /// The status of success.
    let success: Int
    let content: Content
    /// The problems that it can end with, beside those that every operation can.
    let problems: [Problem]
    let run: @Sendable (RESTService, Call) throws(Failure) -> Reply

    init(
        _ name: String, _ method: HTTPMethod, _ path: String, _ summary: String, _ parameters: [Parameter] = [],
        success: Int = 200, answers content: Content, problems: [Problem] = [],
        run: @escaping @Sendable (RESTService, Call) throws(Failure) -> Reply
    ) {
        self.name = name
        self.method = method
        self.path = PathTemplate(path)
        self.summary = summary
        self.parameters = parameters
        self.success = success
        self.content = content
        self.problems = problems
        self.run = run
    }

    /// True when the parameters are in the form of the body, and not in the query.
    var takesForm: Bool { method == .post || method == .put }

    /// All operations, in the order of the documentation.
    static let all: [Operation] =
        clients + registrations + bans + accounts + applications + numbers + calls + callOrders + messages
        + notifications
}

/// What an operation answers.
enum Reply {
    /// Nothing but the status.
    case empty
    /// One resource.
    case resource(Representation)
    /// An array of resources under this element in XML.
    case array([Representation], element: String)
    /// An array that is made while it is sent.
    case stream(ResourceStream)
    /// A page of resources.
    case page(Page)
}
