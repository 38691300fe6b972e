import Glibc

/// The queue between all threads and the store thread, with the counts of the writer.
///
/// Sendable by its own mutex: every stored property is read and written between `lock` and `unlock` only. A condition
/// variable and not `Mutex`, as the store thread sleeps on it with a limit of monotonic time.
final class WriterQueue<Receipt: Sendable>: @unchecked Sendable {
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let wake = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private let drained = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private let limit: Int
    private var pending = PendingChanges<Receipt>()
    private var counts = StoreStatistics()
    private var finishedUnits: UInt64 = 0
    private var sleep = Sleep.none
    /// Something among the pending must not wait for more.
    private var isUrgent = false
    private var isStopping = false
    /// Since when the store thread waits for another process's lock, nil while it does not.
    private var lockedSince: UInt64?
    private var isPollWanted = false

    /// What the store thread sleeps for.
    private enum Sleep {
        case none
        /// For anything.
        case work
        /// For something urgent, or the end of the time that other changes may gather for.
        case gathering
    }

    private let gatherMilliseconds: UInt64

    /// An empty queue that holds at most `limit` units, and lets what is not urgent gather.
    init(limit: Int, gatherMilliseconds: UInt64 = 0) {
        self.limit = limit
        self.gatherMilliseconds = gatherMilliseconds
        mutex.initialize(to: pthread_mutex_t())
        pthread_mutex_init(mutex, nil)
        var attributes = pthread_condattr_t()
        pthread_condattr_init(&attributes)
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        for condition in [wake, drained] {
            condition.initialize(to: pthread_cond_t())
            pthread_cond_init(condition, &attributes)
        }
        pthread_condattr_destroy(&attributes)
    }

    deinit {
        pthread_cond_destroy(wake)
        pthread_cond_destroy(drained)
        pthread_mutex_destroy(mutex)
        wake.deallocate()
        drained.deallocate()
        mutex.deallocate()
    }

    /// Adds one change, for which somebody waits unless it may gather; false when the queue is full or stopped.
    func enqueue(_ change: StoreChange, receipt: Receipt?, mayGather: Bool = false) -> Bool {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        guard admit() else { return false }
        pending.append(change, receipt: receipt)
        wake(urgently: !mayGather)
        return true
    }

    /// Adds changes that belong together; false when the queue is full or stopped.
    func enqueue(_ unit: [StoreChange], receipt: Receipt?) -> Bool {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        guard admit() else { return false }
        pending.append(unit, receipt: receipt)
        wake(urgently: true)
        return true
    }

    /// Lets the store thread look for changes of other connections now.
    func requestPoll() {
        pthread_mutex_lock(mutex)
        isPollWanted = true
        wake(urgently: true)
        pthread_mutex_unlock(mutex)
    }

    /// Lets the store thread end when all that waits is done; from now on nothing is accepted.
    func requestStop() {
        pthread_mutex_lock(mutex)
        isStopping = true
        wake(urgently: true)
        pthread_mutex_unlock(mutex)
    }

    /// Waits until everything accepted before this call was committed or reported.
    func waitUntilDrained() {
        pthread_mutex_lock(mutex)
        let target = counts.accepted
        wake(urgently: true)
        while finishedUnits < target { pthread_cond_wait(drained, mutex) }
        pthread_mutex_unlock(mutex)
    }

    /// What the store thread finds when it asks for work.
    struct Work {
        /// The end was asked for: after this batch nothing comes.
        var isStopping: Bool
        /// Somebody asked to look for changes of other connections.
        var isPollWanted: Bool
        /// The batch is the first after a sleep.
        var hasSlept: Bool
    }

    /// Moves all that waits into `batch`, which must be empty; sleeps up to `milliseconds` when nothing waits.
    func take(into batch: inout PendingChanges<Receipt>, waitingMilliseconds milliseconds: UInt64) -> Work {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        var hasSlept = false
        if pending.isEmpty, !isUrgent, milliseconds > 0 {
            sleep(for: .work, milliseconds)
            hasSlept = true
        }
        if !pending.isEmpty, !isUrgent, gatherMilliseconds > 0 { sleep(for: .gathering, gatherMilliseconds) }
        swap(&pending, &batch)
        let work = Work(isStopping: isStopping, isPollWanted: isPollWanted, hasSlept: hasSlept)
        isPollWanted = false
        isUrgent = isStopping
        return work
    }

    private func sleep(for reason: Sleep, _ milliseconds: UInt64) {
        var deadline = timespec()
        clock_gettime(CLOCK_MONOTONIC, &deadline)
        deadline.tv_nsec += Int(milliseconds % 1000) * 1_000_000
        deadline.tv_sec += Int(milliseconds / 1000) + deadline.tv_nsec / 1_000_000_000
        deadline.tv_nsec %= 1_000_000_000
        sleep = reason
        while sleep != .none, pthread_cond_timedwait(wake, mutex, &deadline) == 0 {}
        sleep = .none
    }

    /// Notes that the store thread waits for another process's lock, or no longer.
    func noteLock(since instant: UInt64?) {
        pthread_mutex_lock(mutex)
        lockedSince = instant
        pthread_mutex_unlock(mutex)
    }

    /// True when the store thread has waited for another process's lock for some time.
    func isLocked(forMilliseconds milliseconds: UInt64) -> Bool {
        let now = StoreOptions.monotonicMilliseconds()
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return lockedSince.map { now &- $0 >= milliseconds } ?? false
    }

    /// True once the end was asked for.
    var isEnding: Bool {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return isStopping
    }

    /// Notes that units are done and changes the counts.
    func finish(units: Int, _ change: (inout StoreStatistics) -> Void) {
        pthread_mutex_lock(mutex)
        finishedUnits &+= UInt64(units)
        change(&counts)
        if units > 0 { pthread_cond_broadcast(drained) }
        pthread_mutex_unlock(mutex)
    }

    /// The counts now.
    func statistics() -> StoreStatistics {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        var counts = counts
        counts.queued = Int(clamping: counts.accepted &- finishedUnits)
        return counts
    }

    private func admit() -> Bool {
        // Units in the hands of the store thread count too: while it waits for a lock, they are memory all the same.
        if isStopping || counts.accepted &- finishedUnits >= UInt64(limit) {
            counts.refused &+= 1
            return false
        }
        counts.accepted &+= 1
        return true
    }

    private func wake(urgently: Bool) {
        if urgently { isUrgent = true }
        guard sleep == .work || sleep == .gathering && urgently else { return }
        sleep = .none
        pthread_cond_signal(wake)
    }
}
