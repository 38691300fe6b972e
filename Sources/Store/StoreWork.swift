import Glibc
import Synchronization

/// Work of the API that the store thread does with its own connection, while the thread that asked waits.
public final class StoreWork: Sendable {
    private let body: @Sendable (Store) throws(StoreError) -> Void
    private let failure = Mutex<StoreError?>(nil)
    private let isDone = Semaphore()

    /// Work that runs `body` once.
    init(_ body: @escaping @Sendable (Store) throws(StoreError) -> Void) { self.body = body }

    /// Runs the work; on the store thread.
    func run(on store: Store) throws(StoreError) { try body(store) }

    /// Notes that nothing of the work has effect, before it is let go.
    func fail(_ error: StoreError) { failure.withLock { $0 = error } }

    /// Lets the thread that waits go on; once.
    func release() { isDone.signal() }

    /// Waits for the end of the work, and throws why it has no effect.
    func wait() throws(StoreError) {
        isDone.wait()
        if let error = failure.withLock({ $0 }) { throw error }
    }
}

/// A system semaphore, which begins at 0. Sendable as the system's calls may come from any thread, and the memory lives as
/// long as this object.
private final class Semaphore: @unchecked Sendable {
    private let handle = UnsafeMutablePointer<sem_t>.allocate(capacity: 1)

    init() {
        handle.initialize(to: sem_t())
        sem_init(handle, 0, 0)
    }

    deinit {
        sem_destroy(handle)
        handle.deallocate()
    }

    func signal() { sem_post(handle) }

    func wait() {
        // A signal's handler interrupts the wait.
        while sem_wait(handle) != 0, errno == EINTR {}
    }
}
