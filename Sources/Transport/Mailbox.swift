import CLinux
import Glibc
import Primitives
import Synchronization

/// What other threads leave for an event loop: failures to report, and a knock that ends its waiting.
final class Mailbox: Sendable {
    /// A message that could not be sent.
    struct Failure: Sendable {
        let origin: UInt64
        let flow: Flow
    }

    private let event: FileDescriptor
    private let failures = Mutex<[Failure]>([])
    /// Spares the loop the lock when there is nothing.
    private let hasFailures = Atomic(false)

    /// The number to watch for reading.
    var number: Int32 { event.number }

    /// An empty mailbox.
    init() throws(SystemError) {
        let flags = Int32(EFD_NONBLOCK) | Int32(EFD_CLOEXEC)
        event = FileDescriptor(try System.check(eventfd(0, flags), "eventfd"))
    }

    /// Leaves a failure to be reported by the loop in its next turn.
    func post(origin: UInt64, flow: Flow) {
        if origin == 0 { return }
        failures.withLock { $0.append(Failure(origin: origin, flow: flow)) }
        if !hasFailures.exchange(true, ordering: .acquiringAndReleasing) { wake() }
    }

    /// Ends the loop's waiting.
    func wake() { eventfd_write(event.number, 1) }

    /// Makes the mailbox ready for the next `wake`.
    func clear() {
        var value: eventfd_t = 0
        eventfd_read(event.number, &value)
    }

    /// Takes the failures out.
    func takeFailures() -> [Failure] {
        guard hasFailures.load(ordering: .relaxed) else { return [] }
        hasFailures.store(false, ordering: .sequentiallyConsistent)
        return failures.withLock { failures in
            let taken = failures
            failures = []
            return taken
        }
    }
}
