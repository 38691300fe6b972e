/// A change of what answers calls and texts, or of an account that pays for them, as seen now.
public enum ApplicationChange: Equatable, Sendable {
    /// An account is new, or has another token or another status that counts.
    case account(AccountRow)
    /// An application, nil when it was deleted.
    case application(sid: String, ApplicationRow?)
    /// A number, nil when it was deleted, or no longer has this number.
    case number(String, NumberRow?)
}
