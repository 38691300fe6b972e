import Glibc
import Observability
import Primitives

/// Writes log lines to a file descriptor from a thread of its own, so that a slow reader of the log never stops SIP.
///
/// Lines wait in a bounded queue. When it is full, lines are dropped and counted, and one `log.dropped` line tells how
/// many as soon as the reader takes bytes again.
final class LogSink: @unchecked Sendable {
    // Unchecked: `queue` and the counters are touched under `lock` only, `batch` by the writer thread only.
    private let descriptor: Int32
    private let capacity: Int
    private let style: Replaceable<LogStyle>
    private let lock = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let hasWork = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private let isDrained = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private var queue = ByteWriter(capacity: 65536)
    private var batch = ByteWriter(capacity: 65536)
    private var queuedLines = 0
    private var writingBytes = 0
    private var isWriterWaiting = false
    private var isClosed = false
    private var droppedLines = 0
    private var untoldLines = 0

    /// A sink with a running writer thread; the thread lives as long as the process.
    ///
    /// - Parameters:
    ///   - descriptor: standard output unless a test says otherwise.
    ///   - capacity: bytes that may wait to be written.
    init(descriptor: Int32 = STDOUT_FILENO, capacity: Int = 8 << 20, style: Replaceable<LogStyle>) {
        self.descriptor = descriptor
        self.capacity = capacity
        self.style = style
        pthread_mutex_init(lock, nil)
        pthread_cond_init(hasWork, nil)
        var attributes = pthread_condattr_t()
        pthread_condattr_init(&attributes)
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        pthread_cond_init(isDrained, &attributes)
        pthread_condattr_destroy(&attributes)
        startThread()
    }

    /// Lines lost so far, for the metric.
    var dropped: Int {
        pthread_mutex_lock(lock)
        defer { pthread_mutex_unlock(lock) }
        return droppedLines
    }

    /// Queues whole lines, from any thread, without waiting for the reader; drops them when the queue is full.
    func write(_ bytes: ByteSlice, lines: Int) {
        if bytes.isEmpty { return }
        pthread_mutex_lock(lock)
        if isClosed || queue.count + writingBytes + bytes.count > capacity {
            droppedLines += lines
            untoldLines += lines
        } else {
            queue.append(bytes)
            queuedLines += lines
            if isWriterWaiting { pthread_cond_signal(hasWork) }
        }
        pthread_mutex_unlock(lock)
    }

    /// Waits until all queued lines are written, at most `milliseconds`; false when lines are left.
    @discardableResult
    func flush(milliseconds: Int) -> Bool {
        var deadline = timespec()
        clock_gettime(CLOCK_MONOTONIC, &deadline)
        deadline.tv_sec += milliseconds / 1000
        deadline.tv_nsec += milliseconds % 1000 * 1_000_000
        if deadline.tv_nsec >= 1_000_000_000 {
            deadline.tv_sec += 1
            deadline.tv_nsec -= 1_000_000_000
        }
        pthread_mutex_lock(lock)
        defer { pthread_mutex_unlock(lock) }
        while queue.count > 0 || writingBytes > 0 || (untoldLines > 0 && !isClosed) {
            if pthread_cond_timedwait(isDrained, lock, &deadline) == ETIMEDOUT { return false }
        }
        return true
    }

    private func startThread() {
        var thread = pthread_t()
        let context = Unmanaged.passRetained(self).toOpaque()
        let result = pthread_create(
            &thread, nil,
            { context in
                guard let context else { return nil }
                Unmanaged<LogSink>.fromOpaque(context).takeUnretainedValue().run()
                return nil
            }, context)
        if result != 0 {
            // Without its thread nothing would ever be written: lines are counted as dropped from the start.
            isClosed = true
            Unmanaged<LogSink>.fromOpaque(context).release()
        } else {
            pthread_detach(thread)
        }
    }

    private func run() {
        // Signals are for the main thread; a reader that has gone shows as EPIPE here, not as the end of the process.
        var all = sigset_t()
        sigfillset(&all)
        pthread_sigmask(SIG_BLOCK, &all, nil)
        while true {
            let (lines, untold) = takeBatch()
            if batch.count > 0, !writeAll(batch.slice) { lose(lines) }
            batch.removeAll()
            if untold > 0 { tellDropped(untold) }
            // Lines gather for a moment, so that a busy server wakes this thread 200 times a second and not for each call.
            usleep(5000)
        }
    }

    /// Waits for work and moves it into `batch`; returns its lines, and how many dropped ones are to be told.
    private func takeBatch() -> (lines: Int, untold: Int) {
        pthread_mutex_lock(lock)
        defer { pthread_mutex_unlock(lock) }
        writingBytes = 0
        while queue.count == 0, untoldLines == 0 || isClosed {
            pthread_cond_broadcast(isDrained)
            isWriterWaiting = true
            pthread_cond_wait(hasWork, lock)
            isWriterWaiting = false
        }
        swap(&queue, &batch)
        let lines = queuedLines
        let untold = untoldLines
        queuedLines = 0
        untoldLines = 0
        // Never 0 while something is on its way, also when that is only the report of dropped lines.
        writingBytes = max(1, batch.count)
        return (lines, untold)
    }

    private func tellDropped(_ lines: Int) {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        let now = UnixTime(milliseconds: Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000)
        var line = LogBuffer(level: .warn, format: style.value.format, capacity: 256)
        if line.begin(.logDropped, at: now) {
            line.field("lines", number: Int64(lines))
            line.end()
        }
        if !writeAll(line.bytes) {
            pthread_mutex_lock(lock)
            untoldLines += lines
            pthread_mutex_unlock(lock)
        }
    }

    /// Writes everything, waiting for a slow reader as long as it takes; false when the bytes are lost.
    private func writeAll(_ bytes: ByteSlice) -> Bool {
        var rest = bytes
        while !rest.isEmpty {
            let written = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if written > 0 {
                rest = rest.from(written)
                continue
            }
            switch errno {
            case EINTR: continue
            case EAGAIN:
                var readiness = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                poll(&readiness, 1, 1000)
            case ENOSPC, EDQUOT, EFBIG, EIO:
                // A full disk may have room again later; the pause keeps this thread from spinning until then.
                usleep(100_000)
                return false
            default:
                // EPIPE, EBADF and the like: nobody will ever read this log again.
                close()
                return false
            }
        }
        return true
    }

    private func close() {
        pthread_mutex_lock(lock)
        isClosed = true
        pthread_mutex_unlock(lock)
    }

    private func lose(_ lines: Int) {
        pthread_mutex_lock(lock)
        droppedLines += lines
        untoldLines += lines
        pthread_mutex_unlock(lock)
    }
}
