import CallControl
import Dispatch
import Primitives
import Synchronization

/// Keeps the callbacks of one call in their order: each goes out when the answers to all requests of that call before it are
/// there. Requests for documents go out at once.
///
/// Two threads may hand over the requests of one call the wrong way round: their numbers tell, and what comes too early waits
/// for a moment.
public final class WebhookQueue<Reference: Hashable & Sendable>: Sendable {
    private struct Entry {
        var sequence: UInt32
        var request: WebhookRequest
        var isCallback: Bool
        var isStarted: Bool
        var completion: @Sendable (WebhookReport) -> Void
    }

    /// The requests of one call.
    private struct Line {
        /// The number that comes next.
        var next: UInt32 = 1
        /// What came too early.
        var early: [UInt32: Entry] = [:]
        /// What is under way or waits for its turn, in order.
        var entries: [Entry] = []

        var isIdle: Bool { early.isEmpty && entries.isEmpty }
    }

    private struct State {
        var lines: [Reference: Line] = [:]
        /// The number of lines from which on those of calls that ask nothing now are forgotten.
        var forgetAt = 16_384
    }

    /// Requests of one call that may wait.
    private static var limit: Int { 500 }
    /// How long a request waits for one before it, in milliseconds: two threads differ by less. It has a number that is not the
    /// next as well when the line of its call was forgotten.
    private static var patience: Int { 250 }
    private let client: WebClient
    private let state = Mutex(State())
    private let timers = DispatchQueue(label: "rollcall.webhooks.order")

    /// A queue before a client.
    public init(_ client: WebClient) { self.client = client }

    /// Adds a request of `reference`; `completion` is called once.
    ///
    /// - Parameter sequence: Its place among the requests of `reference`, from 1 without gaps.
    public func add(
        _ request: WebhookRequest, isCallback: Bool, of reference: Reference, sequence: UInt32,
        completion: @escaping @Sendable (WebhookReport) -> Void
    ) {
        let entry = Entry(
            sequence: sequence, request: request, isCallback: isCallback, isStarted: false, completion: completion)
        var isFull = false
        var isEarly = false
        let next = state.withLock { state -> [Entry] in
            if state.lines.count >= state.forgetAt { Self.forget(&state) }
            var line = state.lines[reference] ?? Line()
            defer { state.lines[reference] = line }
            if line.entries.count + line.early.count >= Self.limit {
                isFull = true
                // Nobody shall wait for it.
                if sequence == line.next { line.next &+= 1 }
                return Self.startable(&line)
            }
            if sequence > line.next {
                isEarly = true
                line.early[sequence] = entry
                return []
            }
            line.entries.append(entry)
            // One that comes after its time does not turn the order back.
            if sequence == line.next { line.next &+= 1 }
            return Self.startable(&line)
        }
        if isFull {
            let url = WebURL(request.address.url)?.shown ?? ""
            let failure = WebhookFailure.make(
                .connection, "Too many requests of this call wait already, so this one was not made.",
                "Make the application answer faster.", url: url)
            completion(WebhookReport(answer: .failed(failure), status: nil, milliseconds: 0, url: url))
        }
        for entry in next { start(entry, of: reference) }
        if isEarly {
            timers.asyncAfter(deadline: .now() + .milliseconds(Self.patience)) { [self] in
                goOn(reference, with: sequence)
            }
        }
    }

    /// Calls with requests that are not answered.
    public var count: Int { state.withLock { $0.lines.values.count { !$0.isIdle } } }

    /// Waits no longer for what should have come before `sequence`.
    private func goOn(_ reference: Reference, with sequence: UInt32) {
        let next = state.withLock { state -> [Entry] in
            guard var line = state.lines[reference], line.early[sequence] != nil else { return [] }
            // Others that are before it came early too, and go first.
            line.next = line.early.keys.min() ?? sequence
            let next = Self.startable(&line)
            state.lines[reference] = line
            return next
        }
        for entry in next { start(entry, of: reference) }
    }

    private func start(_ entry: Entry, of reference: Reference) {
        client.fetch(entry.request, isCallback: entry.isCallback) { [self] report in
            entry.completion(report)
            let next = state.withLock { state -> [Entry] in
                guard var line = state.lines[reference] else { return [] }
                line.entries.removeAll { $0.sequence == entry.sequence }
                let next = Self.startable(&line)
                state.lines[reference] = line
                return next
            }
            for entry in next { start(entry, of: reference) }
        }
    }

    /// Marks and gives what may begin: documents, and a callback that is the first of all.
    private static func startable(_ line: inout Line) -> [Entry] {
        while let entry = line.early.removeValue(forKey: line.next) {
            line.entries.append(entry)
            line.next &+= 1
        }
        var result: [Entry] = []
        for index in line.entries.indices
        where !line.entries[index].isStarted && (index == 0 || !line.entries[index].isCallback) {
            line.entries[index].isStarted = true
            result.append(line.entries[index])
        }
        return result
    }

    /// Forgets the lines of calls that ask nothing now; one that asks again waits for a moment.
    private static func forget(_ state: inout State) {
        state.lines = state.lines.filter { !$0.value.isIdle }
        state.forgetAt = max(16_384, 2 * state.lines.count)
    }
}
