import Admission
import CallControl
import Configuration
import Glibc
import NameResolution
import Observability
import Primitives
import SIPAuthentication
import SIPProxy
import SIPRegistrar
import Store
import Transport

/// `rollcall serve`: opens the store and the sockets, serves until a signal ends it.
enum Daemon {
    /// Runs the server; returns when it was asked to stop.
    static func serve(_ site: Site) throws -> ExitCode {
        // Before any thread is made: all of them inherit the mask, and this thread alone takes the signals.
        var signals = sigset_t()
        sigemptyset(&signals)
        sigaddset(&signals, SIGTERM)
        sigaddset(&signals, SIGINT)
        sigaddset(&signals, SIGUSR1)
        sigaddset(&signals, SIGHUP)
        pthread_sigmask(SIG_BLOCK, &signals, nil)
        signal(SIGPIPE, SIG_IGN)
        // A limit of the size of files is as a full disk: SQLite tells, and goes on when there is room.
        signal(SIGXFSZ, SIG_IGN)

        let style = Replaceable(LogStyle(site.configuration.log))
        let log = DaemonLog(LogSink(style: style), style)
        let notifier = ServiceNotifier()
        log.write(.serverStart) { buffer in
            Program.version.withSlice { buffer.field("version", $0) }
            site.domain.withSlice { buffer.field("domain", $0) }
            site.databasePath.withSlice { buffer.field("database", $0) }
        }
        for note in site.configuration.notes { log.write(note) }
        let parts: DaemonParts
        do {
            parts = try open(site, log)
        } catch {
            // What was opened before the failure is told before its message.
            _ = log.sink.flush(milliseconds: 300)
            throw error
        }
        let api = try APIServer.open(site, parts, log)
        for address in api?.addresses ?? [] {
            log.write(.listenOK) { buffer in "http:\(address)".withSlice { buffer.field("on", $0) } }
        }
        let workers = parts.transport.loops.enumerated().map { index, loop in
            let worker = Worker(parts, log, sweeps: index == 0)
            loop.delegate = worker
            return worker
        }
        do {
            try parts.transport.start()
            try api?.start()
        } catch {
            throw CommandFailure("\(error)", exitCode: .internalError)
        }
        if let address = api?.addresses.first { parts.databaseLock.announce(APIServer.reachable(address)) }
        log.write(.serverReady) { buffer in
            buffer.field("listeners", number: Int64(parts.transport.listeners.count))
            buffer.field("workers", number: Int64(workers.count))
            buffer.field("clients", number: Int64(parts.location.statistics.clients))
            buffer.field("bindings", number: Int64(parts.location.statistics.bindings))
        }
        let watchdog = Watchdog(
            parts.transport.loops, limit: site.configuration.shutdown.watchdog.wholeMilliseconds, style, notifier)
        if !watchdog.start() {
            throw CommandFailure("cannot start the watchdog: no thread is left", exitCode: .internalError)
        }
        notifier.tell("READY=1")
        var loop = SignalLoop(site, parts, log, notifier, Reloader(site, parts, api, watchdog, log))
        let end = loop.run(signals)
        notifier.tell("STOPPING=1")
        // From now on a second signal ends the process at once; one that asks for something is too late.
        sigdelset(&signals, SIGUSR1)
        sigdelset(&signals, SIGHUP)
        signal(SIGTERM, SIG_DFL)
        signal(SIGINT, SIG_DFL)
        pthread_sigmask(SIG_UNBLOCK, &signals, nil)
        watchdog.stop()
        // First the API, whose last changes still reach SIP and the store.
        api?.stop()
        parts.applications.stop()
        parts.transport.stop()
        parts.writer.stop()
        log.write(.serverStop) { buffer in
            buffer.field("why", end.why)
            if let calls = end.left?.calls { buffer.field("calls", number: Int64(calls)) }
            if let requests = end.left?.requests { buffer.field("requests", number: Int64(requests)) }
        }
        _ = log.sink.flush(milliseconds: 300)
        return .success
    }

    /// Writes the sizes of all tables: those of calls are zero when nothing is going on.
    static func logState(_ parts: DaemonParts, _ log: DaemonLog) {
        let tables = parts.server.tableSizes
        let location = parts.location.statistics
        let counters = parts.transport.counters
        let admission = parts.admission.statistics
        let store = parts.writer.statistics()
        log.write(.serverState) { buffer in
            buffer.field("transactions", number: Int64(tables.transactions))
            buffer.field("contexts", number: Int64(tables.contexts))
            buffer.field("timers", number: Int64(tables.timers))
            buffer.field("clients", number: Int64(location.clients))
            buffer.field("bindings", number: Int64(location.bindings))
            buffer.field("connections", number: Int64(clamping: counters.connections))
            buffer.field("streamBytes", number: Int64(clamping: counters.streamBytes))
            buffer.field("names", number: Int64(parts.names.waiting))
            buffer.field("webhooks", number: Int64(parts.applications.pending))
            buffer.field("queued", number: Int64(store.queued))
            buffer.field("cacheBytes", number: store.cacheBytes)
            buffer.field("received", number: Int64(clamping: counters.received))
            buffer.field("sent", number: Int64(clamping: counters.sent))
            buffer.field("dropped", number: Int64(clamping: counters.dropped))
            buffer.field("limited", number: Int64(clamping: admission.dropped))
            buffer.field("banned", number: Int64(admission.banned))
        }
    }

    /// Opens and loads everything, in the order in which failures are cheapest.
    private static func open(_ site: Site, _ log: DaemonLog) throws -> DaemonParts {
        DaemonParts.raiseDescriptorLimit(for: site.configuration, log)
        let wanted = try DaemonParts.listeners(of: site, log)
        let transport = try DaemonParts.openTransport(site, wanted.map(\.configuration))
        for listener in transport.listeners {
            log.write(.listenOK) { buffer in
                buffer.field("on", transport: listener.transport, address: listener.address)
            }
        }
        if let buffer = transport.shortReceiveBuffer {
            log.write(.configNote, level: .info) { line in
                line.field(
                    "what", "the system grants smaller receive buffers, which lose bursts; raise net.core.rmem_max")
                line.field("granted", number: Int64(buffer.granted))
                line.field("wanted", number: Int64(buffer.wanted))
            }
        }
        let databaseLock = try DatabaseLock(path: site.databasePath)
        let store = try interruptibly { () throws(StoreError) in
            try Store(path: site.databasePath, options: site.storeOptions)
        }
        let (account, isNew) = try site.account(in: store)
        if isNew { announce(account, log) }
        let routeKey = try persistentKey("route_key", in: store)
        let settings = DaemonParts.settings(
            site, transport, advertised: wanted.map { ($0.advertisedHost, $0.advertisedPort) }, routeKey: routeKey)
        let domains = DaemonParts.domains(site, settings)
        let admission = Admission(policy: DaemonParts.admissionPolicy(site.configuration), key: Secrets.key())
        let lines = SharedLines()
        let applications = ApplicationDirectory()
        let location = LocationService(key: Secrets.key(), admission: admission)
        let authenticator = Authenticator(
            domains: domains, locations: location, admission: admission,
            policy: DaemonParts.authenticationPolicy(site.configuration.authentication),
            secret: try persistentKey("nonce_key", in: store), start: System.now().unix)
        let registrar = Registrar(
            policy: DaemonParts.registrarPolicy(site.configuration.registrar, site.configuration.nat), domains: domains,
            locations: location,
            // Bindings are stored with hashes of Call-IDs under this key.
            authenticator: authenticator, key: try persistentKey("registrar_key", in: store))
        let server = SIPServer(
            settings: settings, registrar: registrar, authenticator: authenticator, location: location,
            domains: domains, applications: applications, now: System.now())
        let bridge = StoreBridge(transport.listeners)
        try store.detachStreamBindings()
        // Their transactions ended with the process; calls that were answered go on without it.
        _ = try store.closeInterruptedCalls(at: System.now().unix, reason: Int64(Reason.serverRestarted.rawValue))
        let lastChange = try store.lastChange()
        let directory = ClientDirectory(site, location, applications, log)
        try directory.load(from: store, bridge)
        let answers = StoredAnswers(server, location, transport.makeSender(), log)
        let writer = try StoreWriter<PendingAnswer>(
            path: site.databasePath, options: site.storeOptions, after: lastChange,
            committed: { answers.release($0, $1) }, changed: { directory.follow($0) })
        let records = RecordSink(writer, log)
        let executor = EffectExecutor(server, transport.makeSender(), log, records, admission, lines)
        let names: ResolvedNames
        do {
            let resolver = try Resolver(
                DaemonParts.resolverSettings(site, reachability: Reachability(settings.listeners)), key: Secrets.key())
            names = ResolvedNames(resolver, executor)
        } catch {
            throw CommandFailure("cannot start the resolver: \(error)", exitCode: .internalError)
        }
        let client = ApplicationClient(try ApplicationClient.makeClient(site), executor, log)
        executor.connect(names, client)
        return DaemonParts(
            log: log.sink, style: log.style, transport: transport, location: location, admission: admission,
            lines: lines, registrar: registrar, authenticator: authenticator, server: server, writer: writer,
            bridge: bridge, executor: executor, names: names,
            applications: client, records: records,
            databaseLock: databaseLock)
    }

    /// Runs what may take long at the start, such as the check of a large database, so that a signal ends the process at
    /// once. No thread may be started in it: it would take signals for ever.
    private static func interruptibly<Result>(_ body: () throws(StoreError) -> Result) throws(StoreError) -> Result {
        var signals = sigset_t()
        sigemptyset(&signals)
        sigaddset(&signals, SIGTERM)
        sigaddset(&signals, SIGINT)
        pthread_sigmask(SIG_UNBLOCK, &signals, nil)
        defer { pthread_sigmask(SIG_BLOCK, &signals, nil) }
        return try body()
    }

    /// A secret that survives restarts, made at the first start.
    private static func persistentKey(_ name: String, in store: Store) throws -> HashKey {
        if let bytes = try store.setting(name), bytes.count == 16 {
            let halves = bytes.withUnsafeBytes {
                ($0.loadUnaligned(as: UInt64.self), $0.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
            }
            return HashKey(halves.0, halves.1)
        }
        let key = Secrets.key()
        try store.setSetting(
            name, to: withUnsafeBytes(of: (key.first, key.second)) { Array($0) })
        return key
    }

    /// Tells of the account that the first start has made. Its token goes to a person at a terminal, never into a log.
    private static func announce(_ account: AccountRow, _ log: DaemonLog) {
        if isatty(STDERR_FILENO) == 1 {
            Terminal.complain(
                "This is the first start. AccountSid \(account.sid), AuthToken \(account.authToken).\n"
                    + "'rollcall account show' shows them again.")
        } else {
            log.write(.configNote, level: .info) { buffer in
                buffer.field("what", "an account was made; 'rollcall account show' prints its AccountSid and AuthToken")
            }
        }
    }
}

extension LogLevel {
    init(_ level: Configuration.Log.Level) { self = level.rawValue.withSlice { LogLevel(name: $0) } ?? .info }
}

extension LogFormat {
    init(_ format: Configuration.Log.Format) { self = format == .json ? .json : .logfmt }
}
