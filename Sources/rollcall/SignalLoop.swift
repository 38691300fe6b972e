import Configuration
import Glibc
import Observability
import Primitives
import Store
import Transport

/// What the main thread does while the server runs: signals, from the start to the end.
struct SignalLoop {
    /// How the server came to its end.
    struct End {
        /// The signal.
        let why: ByteSlice
        /// Calls that were left; nil when nobody was to be waited for.
        let left: RunningCalls?
    }

    private let site: Site
    private let parts: DaemonParts
    private let log: DaemonLog
    private let notifier: ServiceNotifier
    private var reloader: Reloader

    init(_ site: Site, _ parts: DaemonParts, _ log: DaemonLog, _ notifier: ServiceNotifier, _ reloader: Reloader) {
        self.site = site
        self.parts = parts
        self.log = log
        self.notifier = notifier
        self.reloader = reloader
    }

    /// Handles signals, all of which must be blocked, until one ends the server.
    mutating func run(_ signals: sigset_t) -> End {
        var signals = signals
        while true {
            var number: Int32 = 0
            guard sigwait(&signals, &number) == 0 else { continue }
            switch number {
            case SIGTERM: return drain(signals)
            case SIGINT: return End(why: "SIGINT", left: nil)
            default: handle(number)
            }
        }
    }

    private mutating func handle(_ number: Int32) {
        switch number {
        case SIGUSR1: Daemon.logState(parts, log)
        case SIGHUP:
            notifier.tellReloading()
            reloader.reload()
            notifier.tell("READY=1")
        default: break
        }
    }

    /// Refuses what is new and waits for what runs, until that has ended, the time is over or a second signal comes.
    private mutating func drain(_ signals: sigset_t) -> End {
        let limit = reloader.configuration.shutdown.drain.wholeMilliseconds
        notifier.tell("STOPPING=1\nEXTEND_TIMEOUT_USEC=\((limit + 15_000) * 1000)")
        if limit == 0 { return End(why: "SIGTERM", left: nil) }
        parts.server.beginDraining()
        // What a worker has in its hands at this moment.
        usleep(20_000)
        let store = try? Store(reading: site.databasePath, options: site.storeOptions)
        var running = RunningCalls.count(parts, store)
        let end = System.now().instant.advanced(byMilliseconds: limit)
        if !running.isNone { tell(running, limit) }
        var signals = signals
        while !running.isNone, System.now().instant < end {
            var pause = timespec(tv_sec: 0, tv_nsec: 250_000_000)
            let number = sigtimedwait(&signals, nil, &pause)
            if number == SIGTERM || number == SIGINT { return End(why: "a second signal", left: running) }
            handle(number)
            running = RunningCalls.count(parts, store)
        }
        return End(why: "SIGTERM", left: running)
    }

    private func tell(_ running: RunningCalls, _ limit: UInt64) {
        log.write(.serverDrain) { buffer in
            if let calls = running.calls { buffer.field("calls", number: Int64(calls)) }
            buffer.field("requests", number: Int64(running.requests))
            buffer.field("ms", number: Int64(clamping: limit))
            buffer.field("what", "a second SIGTERM, or SIGINT, ends at once")
        }
    }
}
