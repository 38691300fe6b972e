import Glibc

/// The jobs that wait for a handler thread.
final class HTTPJobQueue: @unchecked Sendable {
    // Unchecked: all that changes is touched under `lock` only.
    private let lock = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let wake = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private let requestLimit: Int
    private var jobs: [HTTPJob?] = []
    private var first = 0
    private var requestCount = 0
    private var idleThreads = 0
    private var isClosed = false

    /// A queue in which at most `requestLimit` requests wait.
    init(requestLimit: Int) {
        self.requestLimit = max(1, requestLimit)
        lock.initialize(to: pthread_mutex_t())
        wake.initialize(to: pthread_cond_t())
        pthread_mutex_init(lock, nil)
        pthread_cond_init(wake, nil)
    }

    deinit {
        pthread_cond_destroy(wake)
        pthread_mutex_destroy(lock)
        wake.deallocate()
        lock.deallocate()
    }

    /// Leaves a job; false when it is a request and too many wait already. Others are as few as there are connections.
    func submit(_ job: HTTPJob) -> Bool {
        pthread_mutex_lock(lock)
        if case .request = job {
            if requestCount >= requestLimit {
                pthread_mutex_unlock(lock)
                return false
            }
            requestCount += 1
        }
        jobs.append(job)
        let wakes = idleThreads > 0
        pthread_mutex_unlock(lock)
        // After the lock, or the thread that wakes would have to wait for it at once.
        if wakes { pthread_cond_signal(wake) }
        return true
    }

    /// Takes the next job, and waits for one; nil when the queue was closed.
    func take() -> HTTPJob? {
        pthread_mutex_lock(lock)
        defer { pthread_mutex_unlock(lock) }
        while !isClosed, first == jobs.count {
            idleThreads += 1
            pthread_cond_wait(wake, lock)
            idleThreads -= 1
        }
        if isClosed { return nil }
        let job = jobs[first]
        jobs[first] = nil
        first += 1
        if first == jobs.count {
            jobs.removeAll(keepingCapacity: true)
            first = 0
        } else if first > 64, first > jobs.count / 2 {
            jobs.removeFirst(first)
            first = 0
        }
        if case .request = job { requestCount -= 1 }
        return job
    }

    /// Ends the threads when they have done what they have taken; what waits is dropped.
    func close() {
        pthread_mutex_lock(lock)
        isClosed = true
        // Let go of after the lock: the end of a body may take time.
        let dropped = jobs
        jobs = []
        first = 0
        pthread_cond_broadcast(wake)
        pthread_mutex_unlock(lock)
        _ = dropped
    }
}
