/// For how long records of calls and texts are kept, and calls supposed to go on.
public struct RecordLimits: Equatable, Sendable {
    /// How long after its beginning a call that was answered is supposed to have ended, when nothing was heard of its end.
    public var callMilliseconds: Int64 = 12 * 3_600_000
    /// How long after its beginning a call that was never answered is supposed to have failed: longer than it can ring.
    public var setupMilliseconds: Int64 = 3_600_000
    /// How long records of calls and texts are kept, nil for ever.
    public var keptMilliseconds: Int64?

    /// The defaults.
    public init() {}
}
