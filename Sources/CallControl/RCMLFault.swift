/// Why bytes are no document, with the place; lines and columns count from 1, 0 is none.
struct RCMLFault: Error {
    var code = CallNotification.Code.malformed
    var kind = WebhookFailure.Kind.document
    let message: String
    var place = RCMLPlace(line: 0, column: 0)
}

/// A place in a document. Columns count characters.
struct RCMLPlace: Equatable, Sendable {
    var line: Int64
    var column: Int64
}
