import Primitives

/// Why a connection ended, or was not taken in.
public enum CloseCause: UInt8, Sendable {
    /// The peer closed it, or the network did.
    case peer
    /// What came cannot be read as SIP, or is larger than a message may be.
    case unreadable
    /// Nothing came for the time of `limits.idleConnection`.
    case idle
    /// A message was not complete in time.
    case slowMessage
    /// Connecting to the peer took too long.
    case connectTimeout
    /// The peer took nothing of what waits for it for the time of `limits.sendTimeout`.
    case sendTimeout
    /// More waits for the peer than may.
    case outputFull
    /// All connections together hold as much as they may (`limits.streamMemory`).
    case memory
    /// Nobody has proved who he is on it for the time of `limits.unprovenConnection`.
    case unproven
    /// It was the oldest on which nothing was proved, and its place was needed.
    case replaced
    /// It was the oldest of its address on which nothing was proved, and that has as many as it may.
    case sourceReplaced
    /// Its address has as many as it may (`limits.connectionsPerSource`), and all are proved.
    case sourceFull
    /// There are as many as there may be (`limits.connections`).
    case tableFull
    /// Its address is banned.
    case banned
    /// The process has no file descriptor left.
    case descriptors

    /// The cause in words, for the log.
    public var text: ByteSlice {
        switch self {
        case .peer: "the peer or the network closed it"
        case .unreadable: "what came is no SIP message, or too large"
        case .idle: "nothing came for the time of limits.idleConnection"
        case .slowMessage: "a message was not complete within 30 s"
        case .connectTimeout: "the peer did not accept it in time"
        case .sendTimeout: "the peer took nothing for the time of limits.sendTimeout"
        case .outputFull: "the peer takes its messages too slowly"
        case .memory: "all connections together hold what limits.streamMemory allows"
        case .unproven: "no client registered or called on it within limits.unprovenConnection"
        case .replaced: "it was the oldest on which no client had registered or called, and its place was needed"
        case .sourceReplaced:
            "its address has limits.connectionsPerSource already, and it was the oldest on which no client had registered"
        case .sourceFull: "its address has limits.connectionsPerSource already"
        case .tableFull: "there are limits.connections already"
        case .banned: "its address is banned"
        case .descriptors: "the process has no file descriptor left"
        }
    }

    /// True for a limit that somebody may want to know of or to change.
    public var isLimit: Bool {
        switch self {
        case .peer, .unreadable, .idle, .banned: false
        default: true
        }
    }
}
