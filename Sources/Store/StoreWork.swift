import Dispatch
import Synchronization

/// Work of the API that the store thread does with its own connection, while the thread that asked waits.
public final class StoreWork: Sendable {
    /// How far the work is.
    private enum State {
        case waiting
        case begun
        /// Whoever asked has given up before it was begun.
        case abandoned
        case failed(StoreError)
    }

    private let body: @Sendable (Store) throws(StoreError) -> Void
    private let state = Mutex(State.waiting)
    private let isDone = DispatchSemaphore(value: 0)

    /// Work that runs `body` once.
    init(_ body: @escaping @Sendable (Store) throws(StoreError) -> Void) { self.body = body }

    /// Runs the work, unless nobody waits for it any more; on the store thread.
    func run(on store: Store) throws(StoreError) {
        let isWanted = state.withLock { state in
            if case .abandoned = state { return false }
            state = .begun
            return true
        }
        if isWanted { try body(store) }
    }

    /// Notes that nothing of the work has effect, before it is let go.
    func fail(_ error: StoreError) { state.withLock { $0 = .failed(error) } }

    /// Lets the thread that waits go on; once.
    func release() { isDone.signal() }

    /// Waits for the end of the work, and throws why it has no effect; `busy` when it was not begun while `isHopeful`, which
    /// is asked now and then, and then it never will be.
    func wait(path: String, while isHopeful: () -> Bool) throws(StoreError) {
        while isDone.wait(timeout: .now() + .milliseconds(50)) == .timedOut {
            if !isHopeful(), abandon() { throw .busy(path: path) }
        }
        if case .failed(let error) = state.withLock({ $0 }) { throw error }
    }

    /// Gives the work up; false when it has begun, so that its end must be waited for.
    private func abandon() -> Bool {
        state.withLock { state in
            guard case .waiting = state else { return false }
            state = .abandoned
            return true
        }
    }
}
