import CallControl
import Dispatch
import Foundation
import FoundationNetworking
import Synchronization

/// A request by https that can be given up.
protocol SecureTask: Sendable {
    func cancel()
}

/// What came of a request by https.
enum SecureResult: Sendable {
    case answer(HTTPAnswer)
    case tooLarge
    case failed(isCertificate: Bool, String)
}

/// Requests by https, made by URLSession with the certificates of the system. It follows no redirects, keeps no cookies and
/// no cache. Of its own timeouts only the one of silence works here, so that others are for who uses it.
final class SecureClient: NSObject, URLSessionDataDelegate, @unchecked Sendable {
    // Unchecked: `sessions` is set once, `tasks` is behind its lock.
    private struct Entry {
        var answer = HTTPAnswer()
        var limit: Int
        var isTooLarge = false
        var completion: @Sendable (SecureResult) -> Void
    }

    /// A task that is begun and cancelled on the queue of its session: both wait while the session resolves a name.
    private final class Task: SecureTask {
        private struct State {
            var task: URLSessionTask?
            var isCancelled = false
        }

        private let queue: DispatchQueue
        private let state = Mutex(State())

        init(_ queue: DispatchQueue) { self.queue = queue }

        /// Takes a task over; false when it is not wanted any more.
        func take(_ task: URLSessionTask) -> Bool {
            state.withLock { state in
                if !state.isCancelled { state.task = task }
                return !state.isCancelled
            }
        }

        var isCancelled: Bool { state.withLock { $0.isCancelled } }

        func cancel() {
            let task = state.withLock { state in
                state.isCancelled = true
                return state.task
            }
            if let task { queue.async { task.cancel() } }
        }
    }

    /// Several sessions: one slows down with the number of its tasks.
    private static let sessionCount = 8
    private var sessions: [(session: URLSession, queue: DispatchQueue)] = []
    private let tasks = Mutex<[ObjectIdentifier: Entry]>([:])

    override init() {
        super.init()
        let queue = OperationQueue()
        queue.maxConcurrentOperationCount = 1
        let configuration = URLSessionConfiguration.ephemeral
        configuration.httpMaximumConnectionsPerHost = 1000
        configuration.httpShouldSetCookies = false
        configuration.httpCookieAcceptPolicy = .never
        configuration.httpCookieStorage = nil
        configuration.urlCache = nil
        configuration.urlCredentialStorage = nil
        configuration.requestCachePolicy = .reloadIgnoringLocalCacheData
        configuration.timeoutIntervalForRequest = 120
        sessions = (0..<SecureClient.sessionCount).map {
            (
                URLSession(configuration: configuration, delegate: self, delegateQueue: queue),
                DispatchQueue(label: "rollcall.https.\($0)")
            )
        }
    }

    /// Ends all sessions; the requests that are under way are told as failed.
    func stop() { for (session, queue) in sessions { queue.async { session.invalidateAndCancel() } } }

    /// Begins a request, without waiting for anything; `completion` is called once, on a thread of its own, unless it fails
    /// at once (nil) or is cancelled before.
    func begin(
        _ method: String, _ url: String, fields: [(name: String, value: String)], body: [UInt8]?, limit: Int,
        origin: String, completion: @escaping @Sendable (SecureResult) -> Void
    ) -> (any SecureTask)? {
        guard let address = URL(string: url) else { return nil }
        var request = URLRequest(url: address)
        request.httpMethod = method
        for field in fields { request.setValue(field.value, forHTTPHeaderField: field.name) }
        if let body { request.httpBody = Data(body) }
        let (session, queue) = sessions[Int(UInt(bitPattern: origin.hashValue) % UInt(sessions.count))]
        let result = Task(queue)
        queue.async { [self, request] in
            if result.isCancelled { return }
            let task = session.dataTask(with: request)
            guard result.take(task) else { return task.cancel() }
            self.tasks.withLock { $0[ObjectIdentifier(task)] = Entry(limit: limit, completion: completion) }
            task.resume()
        }
        return result
    }

    func urlSession(
        _ session: URLSession, task: URLSessionTask, willPerformHTTPRedirection response: HTTPURLResponse,
        newRequest request: URLRequest, completionHandler: @escaping (URLRequest?) -> Void
    ) {
        completionHandler(nil)
    }

    func urlSession(_ session: URLSession, dataTask: URLSessionDataTask, didReceive data: Data) {
        let isTooLarge = tasks.withLock { tasks -> Bool in
            let key = ObjectIdentifier(dataTask)
            guard var entry = tasks.removeValue(forKey: key) else { return false }
            // The end of a task takes a while, in which more may come: it is dropped.
            if entry.answer.body.count + data.count > entry.limit {
                entry.isTooLarge = true
                entry.answer.body = []
                entry.limit = -1
            } else {
                entry.answer.body.append(contentsOf: data)
            }
            tasks[key] = entry
            return entry.isTooLarge
        }
        if isTooLarge { dataTask.cancel() }
    }

    func urlSession(_ session: URLSession, task: URLSessionTask, didCompleteWithError error: (any Error)?) {
        guard var entry = tasks.withLock({ $0.removeValue(forKey: ObjectIdentifier(task)) }) else { return }
        if entry.isTooLarge { return entry.completion(.tooLarge) }
        if let error {
            let text = "\((error as NSError).localizedDescription)"
            return entry.completion(.failed(isCertificate: SecureClient.isCertificate(error, text), text))
        }
        guard let response = task.response as? HTTPURLResponse else {
            return entry.completion(.failed(isCertificate: false, "there was no answer"))
        }
        entry.answer.status = response.statusCode
        for (name, value) in response.allHeaderFields {
            guard let name = name as? String, let value = value as? String else { continue }
            entry.answer.fields.append((name.lowercased(), value))
        }
        entry.completion(.answer(entry.answer))
    }

    private static func isCertificate(_ error: any Error, _ text: String) -> Bool {
        let code = (error as NSError).code
        if (-1206 ... -1200).contains(code) { return true }
        let text = text.lowercased()
        return text.contains("certificate") || text.contains("ssl")
    }
}
