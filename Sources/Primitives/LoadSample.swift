/// What one turn of an event loop tells about its load.
public struct LoadSample: Equatable, Sendable {
    /// Datagrams and events that were handled.
    public var handled = 0
    /// Datagrams that still wait in the kernel, by the memory that they take: an estimate.
    public var waiting = 0
    /// Datagrams that the kernel has dropped since the turn before, because its buffer was full.
    public var lost = 0

    /// A turn in which nothing was to do.
    public init() {}
}
