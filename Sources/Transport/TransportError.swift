import Glibc
import Primitives

/// Why the transport could not be opened.
public struct TransportError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The listener that could not be opened; nil when it was something else.
    public var listener: ListenerConfiguration?
    /// The system call that failed.
    public var cause: SystemError
    /// Who has the port, as far as the system lets us see, for example `kamailio (process 4711)`.
    public var holder: String?

    /// The failure of `listener`; looks for who has its port when that is the cause.
    init(listener: ListenerConfiguration?, cause: SystemError) {
        self.listener = listener
        self.cause = cause
        if let listener, cause.number == EADDRINUSE { holder = PortHolder.find(listener) }
    }

    /// One line with address, port, cause and holder.
    public var description: String {
        guard let listener else { return "cannot open the transport: \(cause)" }
        let held = holder.map { ", held by \($0)" } ?? ""
        return "cannot listen on \(listener.transport.name.string) \(listener.address): \(cause)\(held)"
    }
}
