/// What a REGISTER may ask for: the settings of `Registrar`.
public struct RegistrarPolicy: Sendable {
    /// What happens when a client registers one device more than it may.
    public enum WhenFull: Sendable {
        /// The binding that was refreshed longest ago goes.
        case replaceOldest
        /// The request is answered 403.
        case refuse
    }

    /// The seconds that a binding lives when the request names none.
    public var defaultExpires: UInt32 = 3600
    /// The fewest seconds granted; a shorter request gets 423.
    public var minExpires: UInt32 = 60
    /// The most seconds granted; a longer request is lowered to it.
    public var maxExpires: UInt32 = 3600
    /// Bindings that one client may have.
    public var maxBindings = 10
    /// What happens to one binding more.
    public var whenFull = WhenFull.replaceOldest
    /// The keepalive that the server does, and what it tells phones of theirs.
    public var keepalive = KeepalivePolicy()

    /// The default settings.
    public init() {}
}
