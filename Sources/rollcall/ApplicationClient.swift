import CallControl
import Configuration
import Glibc
import NameResolution
import Observability
import Primitives
import SIPProxy
import Transport
import Webhooks

/// Makes the requests that the SIP server wants made to applications, tells of them in the log, and brings the answers back.
final class ApplicationClient: Sendable {
    private let client: WebClient
    private let queue: WebhookQueue<CallReference>
    private let executor: EffectExecutor
    private let log: DaemonLog

    init(_ client: WebClient, _ executor: EffectExecutor, _ log: DaemonLog) {
        self.client = client
        queue = WebhookQueue(client)
        self.executor = executor
        self.log = log
    }

    /// A client with the limits of a configuration.
    static func makeClient(_ site: Site) throws -> WebClient {
        // What libcurl would read: a proxy of the environment would go round the rules of addresses.
        for name in ["http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"] { unsetenv(name) }
        let ways = [Reachability.Way(.tcp, isIPv4: true), .init(.tcp, isIPv4: false)]
        do {
            let resolver = try Resolver(
                DaemonParts.resolverSettings(site, reachability: Reachability(ways)), key: Secrets.key())
            return try WebClient(settings(site.configuration)) { host, completion in
                // The port keeps it from asking for services; whoever asks is one requester.
                let query = TargetQuery(host: Array(host.utf8), port: 80, transport: .tcp)
                resolver.resolve(query, for: IPAddress(ipv4: 0)) { answer in
                    guard case .candidates(let candidates) = answer else { return completion(nil) }
                    completion(candidates.map(\.remote.address))
                }
            }
        } catch {
            throw CommandFailure("cannot start the client of applications: \(error)", exitCode: .internalError)
        }
    }

    /// What requests may cost, and where they may go.
    static func settings(_ configuration: Configuration) -> WebhookSettings {
        let applications = configuration.applications
        var settings = WebhookSettings()
        settings.deadline = applications.deadline.wholeMilliseconds
        settings.bodySize = applications.bodySize
        settings.redirects = applications.redirects
        settings.concurrent = applications.concurrent
        settings.userAgent = "Rollcall/\(Program.version)"
        settings.rules = AddressRules(
            allow: applications.allow.compactMap { $0.withSlice { IPNetwork($0) } },
            deny: applications.deny.compactMap { $0.withSlice { IPNetwork($0) } })
        return settings
    }

    /// Makes requests; from any thread, without waiting for anything.
    func ask(_ webhooks: [PendingWebhook]) {
        for webhook in webhooks { ask(webhook) }
    }

    /// Takes over new limits.
    func replaceSettings(_ settings: WebhookSettings) { client.replaceSettings(settings) }

    /// Requests that are under way or wait.
    var pending: Int { client.pending }

    /// Gives up all requests.
    func stop() { client.stop() }

    private func ask(_ webhook: PendingWebhook) {
        let request = webhook.request
        let sid = ApplicationClient.sid(of: request)
        log.write(.applicationAsked) { buffer in
            sid.withSlice { buffer.field("sid", $0) }
            request.address.method.rawValue.withSlice { buffer.field("method", $0) }
            WebAddress.withoutCredentials(request.address.url).withSlice { buffer.field("url", $0) }
        }
        queue.add(request, isCallback: !webhook.isAnswerWanted, of: webhook.reference, sequence: webhook.sequence) {
            [self] report in
            tell(report, sid)
            guard webhook.isAnswerWanted else { return }
            executor.handle { server, now, effects in
                server.webhookAnswered(webhook.reference, request.id, report.answer, now: now, effects: &effects)
            }
        }
    }

    private func tell(_ report: WebhookReport, _ sid: String) {
        log.write(report.isGood ? .applicationAnswer : .applicationFail) { buffer in
            sid.withSlice { buffer.field("sid", $0) }
            report.url.withSlice { buffer.field("url", $0) }
            if let status = report.status { buffer.field("status", number: Int64(status)) }
            buffer.field("ms", number: Int64(clamping: report.milliseconds))
            if case .failed(let failure) = report.answer {
                buffer.field("code", number: failure.notification.code)
                failure.notification.message.withSlice { buffer.field("why", sentence: $0) }
            }
        }
    }

    /// The call or text that a request is about.
    private static func sid(of request: WebhookRequest) -> String {
        request.parameters.first { ["CallSid", "SmsSid", "MessageSid"].contains($0.name) }?.value ?? ""
    }
}
