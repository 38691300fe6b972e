import CallControl
import Foundation
import Webhooks

/// One request of a command to an application, by the client and within the limits of the server.
enum WebQuestion {
    /// Makes the request and waits for what comes of it.
    static func ask(_ request: WebhookRequest, _ site: Site) throws -> WebhookReport {
        let client = try ApplicationClient.makeClient(site)
        defer { client.stop() }
        let answer = Answer()
        client.fetch(request) { answer.set($0) }
        guard let report = answer.wait() else { throw CommandFailure("nothing came of the request; try again") }
        return report
    }

    /// Where the client's thread leaves the report.
    private final class Answer: @unchecked Sendable {
        // Unchecked: written before `isThere` is signalled, read after it was waited for.
        private var report: WebhookReport?
        private let isThere = DispatchSemaphore(value: 0)

        func set(_ report: WebhookReport) {
            self.report = report
            isThere.signal()
        }

        func wait() -> WebhookReport? {
            isThere.wait()
            return report
        }
    }
}
