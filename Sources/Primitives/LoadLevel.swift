/// How much there is to do.
public enum LoadLevel: UInt8, Comparable, Sendable {
    /// All is answered at once.
    case normal
    /// Messages wait noticeably: nothing is done for strangers.
    case busy
    /// Messages wait so long that their senders repeat them: nothing new begins.
    case overloaded

    /// The order from less to more.
    public static func < (left: LoadLevel, right: LoadLevel) -> Bool { left.rawValue < right.rawValue }

    /// The word for the log.
    public var name: ByteSlice {
        switch self {
        case .normal: "normal"
        case .busy: "busy"
        case .overloaded: "overloaded"
        }
    }
}
