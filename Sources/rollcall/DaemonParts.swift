import Admission
import Configuration
import Glibc
import NameResolution
import Observability
import Primitives
import SIPAuthentication
import SIPProxy
import SIPRegistrar
import SIPTransaction
import Store
import Transport

/// Everything that a running server is made of, put together.
struct DaemonParts: Sendable {
    let log: LogSink
    let style: Replaceable<LogStyle>
    let transport: Transport
    let location: LocationService
    let admission: Admission
    /// The lines of the log that all strangers share.
    let lines: SharedLines
    let registrar: Registrar
    let authenticator: Authenticator
    let server: SIPServer
    let writer: StoreWriter<PendingAnswer>
    let bridge: StoreBridge
    let executor: EffectExecutor
    let names: ResolvedNames
    let applications: ApplicationClient
    let records: RecordSink
    /// Held as long as the server lives.
    let databaseLock: DatabaseLock

    /// The listeners of a configuration with concrete addresses, and what each advertises.
    static func listeners(
        of site: Site, _ log: DaemonLog
    ) throws -> [(configuration: ListenerConfiguration, advertisedHost: String, advertisedPort: UInt16?)] {
        var listeners: [(configuration: ListenerConfiguration, advertisedHost: String, advertisedPort: UInt16?)] = []
        for listener in site.configuration.listeners {
            guard let address = listener.address.withSlice({ IPAddress($0) }) else { continue }
            let wanted = ListenerConfiguration(
                transport: listener.transport == .udp ? .udp : .tcp,
                address: SocketAddress(address: address, port: listener.port))
            let advertisedPort = listener.advertised.isEmpty ? nil : listener.advertisedPort
            do {
                for concrete in try wanted.expanded() {
                    if listeners.contains(where: { $0.configuration == concrete }) { continue }
                    if listener.isOptional, !concrete.isPossible {
                        log.write(.configNote, level: .info) { buffer in
                            buffer.field("what", "this machine cannot have an optional listener")
                            buffer.field("on", transport: concrete.transport, address: concrete.address)
                        }
                        continue
                    }
                    listeners.append((concrete, listener.advertisedHost, advertisedPort))
                }
            } catch {
                if listener.isOptional { continue }
                throw CommandFailure(
                    "cannot find the addresses of \(listener.address): \(error)", exitCode: .cannotBind)
            }
        }
        if listeners.isEmpty {
            throw CommandFailure(
                "this machine has none of the addresses of 'listeners' in the configuration", exitCode: .cannotBind)
        }
        return listeners
    }

    /// Opens the sockets.
    static func openTransport(_ site: Site, _ listeners: [ListenerConfiguration]) throws -> Transport {
        // A route token names a listener in one byte.
        if listeners.count > 255 {
            throw CommandFailure(
                "\(listeners.count) listeners are too many, 255 is the limit; name addresses in 'listeners' instead of 0.0.0.0 or ::",
                exitCode: .configuration)
        }
        var transportLimits = TransportLimits()
        apply(site.configuration.limits, to: &transportLimits)
        let cores = max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN)))
        let workers = site.configuration.workers > 0 ? site.configuration.workers : cores
        do {
            return try Transport(listeners: listeners, workers: workers, limits: transportLimits)
        } catch {
            let remedy =
                switch error.cause.number {
                case EADDRINUSE: "stop the other program, or set 'listeners' in the configuration"
                case EADDRNOTAVAIL, EAFNOSUPPORT:
                    "this machine does not have the address; set 'listeners' in the configuration"
                case EACCES, EPERM: "ports below 1024 need a privilege; set another in 'listeners' of the configuration"
                default: "set 'listeners' in the configuration"
                }
            throw CommandFailure("\(error); \(remedy)", exitCode: .cannotBind)
        }
    }

    /// Puts the limits of a configuration into those of the transport.
    static func apply(_ limits: Configuration.Limits, to transport: inout TransportLimits) {
        transport.messageSize = limits.messageSize
        transport.connections = limits.connections
        transport.connectionsPerSource = limits.connectionsPerSource
        transport.idleTime = limits.idleConnection.wholeMilliseconds
        transport.unprovenTime = limits.unprovenConnection.wholeMilliseconds
        transport.sendTime = limits.sendTimeout.wholeMilliseconds
        transport.streamMemory = limits.streamMemory
    }

    /// Takes as many file descriptors as the limit of connections needs and the system grants; says when that is less.
    static func raiseDescriptorLimit(for configuration: Configuration, _ log: DaemonLog) {
        let wanted = configuration.limits.connections
        // Beside the connections: those of the API, sockets, pollers, the database, the resolver.
        let granted = DescriptorLimit.raise(
            to: wanted + configuration.api.connections + 2 * Resolver.descriptors
                + configuration.applications.concurrent + 512)
        guard granted < wanted else { return }
        log.write(.configNote) { buffer in
            buffer.field("key", "limits.connections")
            buffer.field(
                "what",
                "the system grants fewer file descriptors; raise its limit (LimitNOFILE, ulimit -n), or lower this")
            buffer.field("granted", number: Int64(granted))
        }
    }

    /// The settings of the SIP server.
    static func settings(
        _ site: Site, _ transport: Transport, advertised: [(host: String, port: UInt16?)], routeKey: HashKey
    ) -> ServerSettings {
        let listeners = transport.listeners.enumerated().map { index, listener in
            SIPProxy.Listener(
                transport: listener.transport, address: listener.address,
                advertisedHost: Array(advertised[index].host.utf8), advertisedPort: advertised[index].port)
        }
        var settings = ServerSettings(listeners: listeners, runKey: Secrets.key(), routeKey: routeKey)
        apply(site.configuration, to: &settings)
        return settings
    }

    /// Puts the values of a configuration into the settings of the SIP server; for the start and for a reload.
    static func apply(_ configuration: Configuration, to settings: inout ServerSettings) {
        settings.timers.t1 = UInt32(clamping: configuration.timers.t1.wholeMilliseconds)
        settings.timers.t2 = UInt32(clamping: configuration.timers.t2.wholeMilliseconds)
        settings.timers.t4 = UInt32(clamping: configuration.timers.t4.wholeMilliseconds)
        settings.timers.timerD = settings.timers.transactionTimeout
        settings.timerC = UInt32(clamping: configuration.proxy.timerC.wholeMilliseconds)
        settings.maxForks = configuration.proxy.maxForks
        settings.maxBreadth = UInt32(clamping: configuration.proxy.maxBreadth)
        settings.messageSize = configuration.limits.messageSize
        settings.headerCount = configuration.limits.headers
        settings.maxTransactions = configuration.limits.transactions
        settings.maxTransactionsPerClient = UInt32(clamping: configuration.limits.transactionsPerClient)
        settings.awaitsStore = configuration.durability != .memory
        settings.keepalive = keepalivePolicy(configuration.nat)
        settings.gateways = configuration.gateways.map { Gateway($0) }
        settings.textsGoToApplications = configuration.applications.messages == .application
        settings.applicationDeadline = configuration.applications.deadline.wholeMilliseconds
        settings.applicationDocuments = configuration.applications.documents
        settings.longestCall = UInt32(clamping: configuration.applications.longestCall.wholeSeconds)
    }

    /// How names are resolved.
    static func resolverSettings(_ site: Site, reachability: Reachability) -> NameResolver.Settings {
        let dns = site.configuration.dns
        let servers = dns.servers.prefix(ServerList.limit).compactMap { text -> SocketAddress? in
            guard let (host, port) = Configuration.DNS.server(text), let address = host.withSlice({ IPAddress($0) })
            else { return nil }
            return SocketAddress(address: address, port: port)
        }
        var settings = NameResolver.Settings(servers: servers, reachability: reachability)
        settings.timeout = dns.timeout.wholeMilliseconds
        settings.attempts = dns.attempts
        settings.usesNAPTR = dns.naptr
        return settings
    }

    /// The hosts that are ours: the domain, its aliases, and all that we listen on or advertise.
    static func domains(_ site: Site, _ settings: ServerSettings) -> DomainTable {
        let advertised = settings.listeners.map(\.host)
        return site.domain.withSlice {
            DomainTable(
                domain: $0, aliases: site.configuration.aliases.map { Array($0.utf8) } + advertised,
                sockets: settings.listeners.map(\.address))
        }
    }

    /// The rules of authentication.
    static func authenticationPolicy(_ configuration: Configuration.Authentication) -> AuthenticationPolicy {
        var policy = AuthenticationPolicy()
        policy.algorithms = configuration.algorithms.map { algorithm -> DigestAlgorithm in
            switch algorithm {
            case .md5: .md5
            case .sha256: .sha256
            case .sha512256: .sha512_256
            }
        }
        policy.qualities = configuration.qop.map { $0 == .auth ? .auth : .authInt }
        policy.nonceLifetime = Int64(clamping: configuration.nonceLifetime.wholeMilliseconds)
        return policy
    }

    /// How much strangers may send, and how often they may guess.
    static func admissionPolicy(_ configuration: Configuration) -> AdmissionPolicy {
        let protection = configuration.protection
        var policy = AdmissionPolicy()
        policy.isEnabled = protection.isEnabled
        policy.trusted = protection.trusted.compactMap { $0.withSlice { IPNetwork($0) } }
        policy.packetsPerSource = protection.packetsPerSource
        policy.burst = protection.burst
        policy.packetsPerClient = protection.packetsPerClient
        policy.bannedAfter = protection.bannedAfter
        policy.banTime = protection.banTime.wholeMilliseconds
        policy.longestBan = protection.longestBan.wholeMilliseconds
        policy.failuresBeforeDelay = UInt32(clamping: configuration.authentication.failuresBefore403)
        policy.failureWindow = Int64(clamping: configuration.authentication.failureWindow.wholeMilliseconds)
        return policy
    }

    /// The rules of the keepalive.
    static func keepalivePolicy(_ configuration: Configuration.NAT) -> KeepalivePolicy {
        var policy = KeepalivePolicy()
        policy.method =
            switch configuration.keepalive {
            case .options: .options
            case .crlf: .emptyLine
            case .off: .off
            }
        policy.interval = Int64(clamping: configuration.interval.wholeMilliseconds)
        policy.unanswered = UInt8(clamping: configuration.unanswered)
        policy.pingsAll = configuration.targets == .all
        policy.flowTimer = max(1, UInt32(clamping: configuration.flowTimer.wholeSeconds))
        policy.reconnectTime = configuration.reconnectTime.wholeMilliseconds
        return policy
    }

    /// The rules of registration.
    static func registrarPolicy(
        _ configuration: Configuration.Registrar, _ nat: Configuration.NAT
    ) -> RegistrarPolicy {
        var policy = RegistrarPolicy()
        policy.keepalive = keepalivePolicy(nat)
        policy.defaultExpires = UInt32(clamping: configuration.defaultExpires.wholeSeconds)
        policy.minExpires = UInt32(clamping: configuration.minExpires.wholeSeconds)
        policy.maxExpires = UInt32(clamping: configuration.maxExpires.wholeSeconds)
        policy.maxBindings = configuration.maxBindings
        policy.whenFull = configuration.whenFull == .refuse ? .refuse : .replaceOldest
        return policy
    }
}
