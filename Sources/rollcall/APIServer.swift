import Configuration
import Glibc
import HTTPMessage
import Observability
import Primitives
import RESTInterface
import SIPProxy
import Store
import Synchronization
import Transport

/// The HTTP API of a running server.
enum APIServer {
    /// Opens the addresses of the API; nil when the configuration has none.
    static func open(_ site: Site, _ parts: DaemonParts, _ log: DaemonLog) throws -> HTTPServer? {
        let configuration = site.configuration.api
        let addresses = configuration.listen.compactMap { text -> SocketAddress? in
            guard let (host, port) = Configuration.API.endpoint(text), let address = host.withSlice({ IPAddress($0) })
            else { return nil }
            return SocketAddress(address: address, port: port)
        }
        if addresses.isEmpty { return nil }
        var settings = HTTPServerSettings(addresses: addresses)
        apply(configuration, to: &settings)
        // No form of ours is longer, and a thousand connections may each bring one.
        settings.limits.bodySize = 128 << 10
        let requestLog = RequestLog(log)
        let rest = restSettings(site, parts.writer, LiveSIPService(parts, log), requestLog)
        do {
            return try HTTPServer(
                settings: settings, makeHandler: { try RESTService(rest, clock: { System.now().unix }) },
                errorBody: { RESTService.serverError(status: $0, message: $1, wantsJSON: $2 == true) },
                refused: { requestLog.refused($0, status: $1, why: $2) })
        } catch {
            throw CommandFailure("\(error); \(remedy(for: error))", exitCode: .cannotBind)
        }
    }

    /// Puts the values of a configuration into the settings of the HTTP server; for the start and for a reload.
    static func apply(_ configuration: Configuration.API, to settings: inout HTTPServerSettings) {
        settings.connections = configuration.connections
        settings.connectionsPerSource = configuration.connectionsPerSource
        settings.headTime = configuration.headTimeout.wholeMilliseconds
        settings.trustedProxies = TrustedProxies(
            configuration.trustedProxies.compactMap { $0.withSlice { IPNetwork($0) } })
    }

    /// How the command line reaches an address that is listened on: one that stands for all by the loopback.
    static func reachable(_ address: SocketAddress) -> String {
        if !address.address.isUnspecified { return address.description }
        return "\(address.address.isIPv4 ? "127.0.0.1" : "[::1]"):\(address.port)"
    }

    private static func remedy(for error: TransportError) -> String {
        switch error.cause.number {
        case EADDRINUSE: "stop the other program, or set 'api.listen' in the configuration ([] for no API)"
        case EADDRNOTAVAIL, EAFNOSUPPORT:
            "this machine does not have the address; set 'api.listen' in the configuration"
        default: "set 'api.listen' in the configuration"
        }
    }

    /// What a service of the API is told, here and on the command line.
    static func restSettings(
        _ site: Site, _ transactions: any StoreTransactions, _ sip: (any SIPService)?, _ observer: any RequestObserver
    ) -> RESTSettings {
        let (path, options) = (site.databasePath, site.storeOptions)
        var settings = RESTSettings(
            realm: site.domain, openStore: { () throws(StoreError) in try Store(reading: path, options: options) },
            transactions: transactions, sip: sip, observer: observer)
        settings.keepsPasswords = site.configuration.authentication.passwords == .recoverable
        settings.minPasswordLength = site.configuration.authentication.minPasswordLength
        return settings
    }
}

/// Writes the requests of the API into the log: changes, refusals for credentials and rights, failures; others at debug.
final class RequestLog: RequestObserver {
    private let log: DaemonLog
    /// Keeps strangers from filling the log.
    private let limiter = Mutex(LogLimiter(key: Secrets.key()))

    init(_ log: DaemonLog) { self.log = log }

    func answered(_ report: RequestReport) {
        let event = RequestLog.event(of: report)
        if event == .apiRefused, !isAdmitted(report) { return }
        log.write(event) { buffer in
            report.source.description.withSlice { buffer.field("src", $0) }
            report.method.withSlice { buffer.field("method", $0) }
            report.path.withSlice { buffer.field("path", $0) }
            buffer.field("status", number: Int64(report.status))
            if let account = report.account { account.withSlice { buffer.field("account", $0) } }
            if let failure = report.failure {
                failure.problem.code.withSlice { buffer.field("code", $0) }
                (failure.detail ?? failure.problem.cause).withSlice { buffer.field("why", sentence: $0) }
                failure.problem.remedy.withSlice { buffer.field("do", sentence: $0) }
            }
        }
    }

    /// Writes a line for what the HTTP server has answered by itself.
    func refused(_ source: IPAddress, status: Int, why: String) {
        let now = System.now().instant
        let isAdmitted = why.withSlice { why in limiter.withLock { $0.admits(source, .apiRefused, why, at: now) } }
        if !isAdmitted { return }
        let problem = Problem(ofServerStatus: status)
        log.write(.apiRefused) { buffer in
            source.description.withSlice { buffer.field("src", $0) }
            buffer.field("status", number: Int64(status))
            problem.code.withSlice { buffer.field("code", $0) }
            why.withSlice { buffer.field("why", sentence: $0) }
            problem.remedy.withSlice { buffer.field("do", sentence: $0) }
        }
    }

    private func isAdmitted(_ report: RequestReport) -> Bool {
        let now = System.now().instant
        return (report.failure?.problem.code ?? "").withSlice { code in
            limiter.withLock { $0.admits(report.source, .apiRefused, code, at: now) }
        }
    }

    private static func event(of report: RequestReport) -> LogEvent {
        switch report.status {
        case 401, 403, 429: .apiRefused
        case 500...: .apiError
        case 200..<300 where ["POST", "PUT", "DELETE"].contains(report.method): .apiChange
        default: .apiRequest
        }
    }
}
