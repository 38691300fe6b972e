import CallControl
import Primitives
import Synchronization

/// Keeps the callbacks of one call in their order: each goes out when the answers to all requests of that call before it are
/// there. Requests for documents go out at once.
public final class WebhookQueue<Reference: Hashable & Sendable>: Sendable {
    private struct Entry {
        var number: UInt64
        var request: WebhookRequest
        var isCallback: Bool
        var isStarted: Bool
        var completion: @Sendable (WebhookReport) -> Void
    }

    private struct State {
        var entries: [Reference: [Entry]] = [:]
        var lastNumber: UInt64 = 0
    }

    /// Requests of one call that may wait.
    private static var limit: Int { 500 }
    private let client: WebClient
    private let state = Mutex(State())

    /// A queue before a client.
    public init(_ client: WebClient) { self.client = client }

    /// Adds a request of `reference`; `completion` is called once.
    public func add(
        _ request: WebhookRequest, isCallback: Bool, of reference: Reference,
        completion: @escaping @Sendable (WebhookReport) -> Void
    ) {
        let (next, isFull) = state.withLock { state -> ([Entry], Bool) in
            if state.entries[reference, default: []].count >= Self.limit { return ([], true) }
            state.lastNumber += 1
            state.entries[reference, default: []].append(
                Entry(
                    number: state.lastNumber, request: request, isCallback: isCallback, isStarted: false,
                    completion: completion))
            return (Self.startable(&state.entries[reference, default: []]), false)
        }
        if isFull {
            let url = WebURL(request.address.url)?.shown ?? ""
            let failure = WebhookFailure.make(
                .connection, "Too many requests of this call wait already, so this one was not made.",
                "Make the application answer faster.", url: url)
            return completion(WebhookReport(answer: .failed(failure), status: nil, milliseconds: 0, url: url))
        }
        for entry in next { start(entry, of: reference) }
    }

    /// Calls with requests that are not answered.
    public var count: Int { state.withLock { $0.entries.count } }

    private func start(_ entry: Entry, of reference: Reference) {
        client.fetch(entry.request, isCallback: entry.isCallback) { [self] report in
            entry.completion(report)
            let next = state.withLock { state -> [Entry] in
                guard var list = state.entries[reference] else { return [] }
                list.removeAll { $0.number == entry.number }
                let next = Self.startable(&list)
                state.entries[reference] = list.isEmpty ? nil : list
                return next
            }
            for entry in next { start(entry, of: reference) }
        }
    }

    /// Marks and gives what may begin: documents, and a callback that is the first of all.
    private static func startable(_ list: inout [Entry]) -> [Entry] {
        var result: [Entry] = []
        for index in list.indices where !list[index].isStarted && (index == 0 || !list[index].isCallback) {
            list[index].isStarted = true
            result.append(list[index])
        }
        return result
    }
}
