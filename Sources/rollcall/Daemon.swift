import Admission
import Configuration
import Glibc
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
        pthread_sigmask(SIG_BLOCK, &signals, nil)
        signal(SIGPIPE, SIG_IGN)

        let format = LogFormat(site.configuration.log.format)
        let level = LogLevel(site.configuration.log.level)
        let log = DaemonLog(LogSink(format: format), level: level, format: format)
        log.write(.serverStart) { buffer in
            Program.version.withSlice { buffer.field("version", $0) }
            site.domain.withSlice { buffer.field("domain", $0) }
            site.databasePath.withSlice { buffer.field("database", $0) }
        }
        for note in site.configuration.notes {
            log.write(.configNote) { buffer in
                note.keyPath.withSlice { buffer.field("key", $0) }
                note.message.withSlice { buffer.field("what", $0) }
            }
        }
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
            let worker = Worker(
                parts, logLevel: level, logFormat: format, sweeps: index == 0)
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
        var number: Int32 = 0
        while sigwait(&signals, &number) == 0, number == SIGUSR1 { logState(parts, log) }
        // From now on a second signal ends the process at once; one that asks for the state is too late.
        sigdelset(&signals, SIGUSR1)
        signal(SIGTERM, SIG_DFL)
        signal(SIGINT, SIG_DFL)
        pthread_sigmask(SIG_UNBLOCK, &signals, nil)
        // First the API, whose last changes still reach SIP and the store.
        api?.stop()
        parts.transport.stop()
        parts.writer.stop()
        log.write(.serverStop) { buffer in buffer.field("why", number == SIGINT ? "SIGINT" : "SIGTERM") }
        _ = log.sink.flush(milliseconds: 300)
        return .success
    }

    /// Writes the sizes of all tables: those of calls are zero when nothing is going on.
    private static func logState(_ parts: DaemonParts, _ log: DaemonLog) {
        let tables = parts.server.tableSizes
        let location = parts.location.statistics
        let counters = parts.transport.counters
        let admission = parts.admission.statistics
        log.write(.serverState) { buffer in
            buffer.field("transactions", number: Int64(tables.transactions))
            buffer.field("contexts", number: Int64(tables.contexts))
            buffer.field("timers", number: Int64(tables.timers))
            buffer.field("clients", number: Int64(location.clients))
            buffer.field("bindings", number: Int64(location.bindings))
            buffer.field("connections", number: Int64(clamping: counters.connections))
            buffer.field("queued", number: Int64(parts.writer.statistics().queued))
            buffer.field("received", number: Int64(clamping: counters.received))
            buffer.field("sent", number: Int64(clamping: counters.sent))
            buffer.field("dropped", number: Int64(clamping: counters.dropped))
            buffer.field("limited", number: Int64(clamping: admission.dropped))
            buffer.field("banned", number: Int64(admission.banned))
        }
    }

    /// Opens and loads everything, in the order in which failures are cheapest.
    private static func open(_ site: Site, _ log: DaemonLog) throws -> DaemonParts {
        raiseDescriptorLimit(site, log)
        let wanted = try DaemonParts.listeners(of: site, log)
        let transport = try DaemonParts.openTransport(site, wanted.map(\.configuration))
        for listener in transport.listeners {
            log.write(.listenOK) { buffer in
                buffer.field("on", transport: listener.transport, address: listener.address)
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
        let location = LocationService(key: Secrets.key(), admission: admission)
        let authenticator = Authenticator(
            domains: domains, locations: location, admission: admission,
            policy: DaemonParts.authenticationPolicy(site.configuration.authentication),
            secret: try persistentKey("nonce_key", in: store), start: System.now().unix)
        let registrar = Registrar(
            policy: DaemonParts.registrarPolicy(site.configuration.registrar), domains: domains, locations: location,
            // Bindings are stored with hashes of Call-IDs under this key.
            authenticator: authenticator, key: try persistentKey("registrar_key", in: store))
        let server = SIPServer(
            settings: settings, registrar: registrar, authenticator: authenticator, location: location,
            domains: domains, now: System.now())
        let bridge = StoreBridge(transport.listeners)
        try store.detachStreamBindings()
        // Their transactions ended with the process; calls that were answered go on without it.
        _ = try store.closeInterruptedCalls(at: System.now().unix, reason: Int64(Reason.serverRestarted.rawValue))
        let lastChange = try store.lastChange()
        let directory = ClientDirectory(site, location, log)
        try directory.load(from: store, bridge)
        let answers = StoredAnswers(server, transport.makeSender(), log)
        let writer = try StoreWriter<PendingAnswer>(
            path: site.databasePath, options: site.storeOptions, after: lastChange,
            committed: { answers.release($0, $1) }, changed: { directory.follow($0) })
        let records = RecordSink(writer, log)
        let executor = EffectExecutor(
            server, transport.makeSender(), log.sink, records, LogLevel(site.configuration.log.level),
            LogFormat(site.configuration.log.format), admission, lines)
        let names: ResolvedNames
        do {
            names = ResolvedNames(try Resolver(), executor)
        } catch {
            throw CommandFailure("cannot start the resolver: \(error)", exitCode: .internalError)
        }
        return DaemonParts(
            log: log.sink, transport: transport, location: location, admission: admission, lines: lines,
            authenticator: authenticator, server: server, writer: writer, bridge: bridge, executor: executor,
            names: names, records: records,
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

    /// Takes as many file descriptors as the limit of connections needs and the system grants; says when that is less.
    private static func raiseDescriptorLimit(_ site: Site, _ log: DaemonLog) {
        let wanted = site.configuration.limits.connections
        // Beside the connections: those of the API, sockets, pollers, the database, the resolver.
        let granted = DescriptorLimit.raise(to: wanted + site.configuration.api.connections + 256)
        guard granted < wanted else { return }
        log.write(.configNote) { buffer in
            buffer.field("key", "limits.connections")
            buffer.field(
                "what",
                "the system grants fewer file descriptors; raise its limit (LimitNOFILE, ulimit -n), or lower this")
            buffer.field("granted", number: Int64(granted))
        }
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
