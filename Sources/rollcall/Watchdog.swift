import CLinux
import Glibc
import Observability
import Primitives
import Synchronization
import Transport

/// Ends the process when a thread that serves SIP hangs, so that the service manager starts it again.
///
/// A thread of its own that shares no lock with the others: whoever hangs may hold any of them. So it writes its only line
/// by itself, past the queue of the log.
final class Watchdog: @unchecked Sendable {
    // Unchecked: all that changes is atomic, or of the watchdog's own thread.
    private let loops: [EventLoop]
    private let style: Replaceable<LogStyle>
    private let notifier: ServiceNotifier
    private let limit: Atomic<UInt64>
    private let isStopped = Atomic(false)

    /// A watchdog over these loops.
    ///
    /// - Parameter limit: For how long one may hang, in milliseconds; 0 for ever.
    init(_ loops: [EventLoop], limit: UInt64, _ style: Replaceable<LogStyle>, _ notifier: ServiceNotifier) {
        self.loops = loops
        self.style = style
        self.notifier = notifier
        self.limit = Atomic(limit)
    }

    /// Sets for how long a loop may hang, in milliseconds; 0 for ever.
    func setLimit(_ milliseconds: UInt64) { limit.store(milliseconds, ordering: .relaxed) }

    /// Starts watching; false when the system has no room for a thread.
    func start() -> Bool {
        var all = sigset_t()
        var before = sigset_t()
        sigfillset(&all)
        pthread_sigmask(SIG_SETMASK, &all, &before)
        defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
        var thread = pthread_t()
        let context = Unmanaged.passRetained(self)
        let result = pthread_create(
            &thread, nil,
            { context in
                guard let context else { return nil }
                Unmanaged<Watchdog>.fromOpaque(context).takeRetainedValue().run()
                return nil
            }, context.toOpaque())
        if result == 0 {
            pthread_detach(thread)
        } else {
            context.release()
        }
        return result == 0
    }

    /// Stops watching, before the loops are ended on purpose.
    func stop() { isStopped.store(true, ordering: .relaxed) }

    private func run() {
        clinux_name_thread("watchdog")
        // Made before it is needed: a thread that hangs may hold the lock of the memory allocator.
        // The same holds for locks of the runtime that something takes when it is done for the first time.
        var line = LogBuffer(level: .error, capacity: 1024)
        write(0, 0, System.now(), to: &line)
        var detector = HangDetector(now: System.now().instant)
        var nextSign = Instant(milliseconds: 0)
        var turns = [Instant](repeating: Instant(milliseconds: 0), count: loops.count)
        while !isStopped.load(ordering: .relaxed) {
            let now = System.now()
            for index in loops.indices { turns[index] = loops[index].lastTurn }
            if let hanging = detector.check(turns, limit: limit.load(ordering: .relaxed), now: now.instant),
                !isStopped.load(ordering: .relaxed)
            {
                end(hanging.index, hanging.milliseconds, now, &line)
            }
            if let period = notifier.watchdogPeriod, now.instant >= nextSign,
                turns.allSatisfy({ now.instant.milliseconds(since: $0) < max(period, 2 * HangDetector.interval) })
            {
                notifier.tell("WATCHDOG=1")
                nextSign = now.instant.advanced(byMilliseconds: period / 2)
            }
            usleep(UInt32(HangDetector.interval * 1000))
        }
    }

    private func end(_ index: Int, _ milliseconds: UInt64, _ now: Now, _ line: inout LogBuffer) {
        write(index, milliseconds, now, to: &line)
        // What the others have said before has 100 ms to be written.
        usleep(100_000)
        var readiness = pollfd(fd: STDOUT_FILENO, events: Int16(POLLOUT), revents: 0)
        if poll(&readiness, 1, 500) > 0 {
            _ = line.bytes.withUnsafeBytes { Glibc.write(STDOUT_FILENO, $0.baseAddress, $0.count) }
        }
        signal(SIGABRT, SIG_DFL)
        abort()
    }

    private func write(_ index: Int, _ milliseconds: UInt64, _ now: Now, to line: inout LogBuffer) {
        line.removeAll()
        line.adopt(LogStyle(level: .error, format: style.value.format))
        if line.begin(.serverWedged, at: now.unix) {
            "sip-\(index)".withSlice { line.field("thread", $0) }
            line.field("ms", number: Int64(clamping: milliseconds))
            line.field("why", sentence: "A thread that serves SIP hangs, and calls with it.")
            line.field(
                "do",
                sentence: "The process ends by SIGABRT to be started again; report it with the core dump and the log.")
            line.end()
        }
    }
}
