import Primitives

/// Something that went wrong while an application ran, kept with the call or text for its developer.
public struct CallNotification: Equatable, Sendable {
    /// How bad it is.
    public enum Level: Int64, Sendable {
        /// What was asked for was not done, and the call ended by it or lost something.
        case error = 0
        /// It went on with a default.
        case warning = 1
    }

    /// The code, one of `CallNotification.Code`'s numbers: those of Restcomm where it has one for the case.
    public var code: Int64
    /// How bad it is.
    public var level: Level
    /// What happened, why, and what to do, in a sentence or two. It holds no password or token.
    public var message: String
    /// The URL that it is about, without its query, user and password; empty for none.
    public var url = ""
    /// The line in the document, from 1; 0 for none.
    public var line: Int64 = 0
    /// The column in the document, from 1; 0 for none.
    public var column: Int64 = 0

    /// A notification.
    public init(
        _ code: Int64, _ level: Level, _ message: String, url: String = "", line: Int64 = 0, column: Int64 = 0
    ) {
        self.code = code
        self.level = level
        self.message = message
        self.url = url
        self.line = line
        self.column = column
    }
}
