import Primitives
import RESTInterface
import Store
import Synchronization

/// A SIP server that notes what is asked of it.
final class Phones: SIPService {
    struct Text: Equatable {
        var body: String
        var from: String
        var to: String
        var number: RecordNumber
    }

    struct Order: Equatable {
        var number: RecordNumber
        var order: CallOrderRequest
    }

    struct Content {
        var removed: [String] = []
        var texts: [Text] = []
        var calls: [OutgoingCallRequest] = []
        var orders: [Order] = []
        var orderResult = CallOrderResult.done
        var refusal: SIPRefusal?
        var failures: [String: AttemptReport] = [:]
        var count: UInt64 = 0
        var bans: [BanRow] = []
    }

    static let refusal = SIPRefusal(code: "R-1303", number: 1303, status: 480, message: "No device is registered.")
    let content = Mutex(Content())
    /// What takes a binding out of the store, as the server's own queue does it.
    let drop = Mutex<@Sendable (Int64, [UInt8]) -> Void>({ _, _ in })

    var removed: [String] { content.withLock { $0.removed } }
    var calls: [OutgoingCallRequest] { content.withLock { $0.calls } }
    var orders: [Order] { content.withLock { $0.orders } }
    var texts: [Text] { content.withLock { $0.texts } }

    func lastFailure(ofClient login: String) -> AttemptReport? { content.withLock { $0.failures[login] } }

    func removeBinding(_ key: [UInt8], ofClient login: String, number: Int64) {
        content.withLock { $0.removed.append("\(login) \(String(decoding: key, as: UTF8.self))") }
        drop.withLock { $0 }(number, key)
    }

    func send(_ body: String, from: String, to: String, number: RecordNumber) -> SIPRefusal? {
        content.withLock { content in
            content.texts.append(Text(body: body, from: from, to: to, number: number))
            return content.refusal
        }
    }

    func startCall(_ call: OutgoingCallRequest) -> SIPRefusal? {
        content.withLock { content in
            content.calls.append(call)
            return content.refusal
        }
    }

    func order(_ number: RecordNumber, _ order: CallOrderRequest) -> CallOrderResult {
        content.withLock { content in
            content.orders.append(Order(number: number, order: order))
            return content.orderResult
        }
    }

    func bans() -> [BanRow] { content.withLock { $0.bans } }

    func liftBan(_ sid: String) -> Bool {
        content.withLock { content in
            let count = content.bans.count
            content.bans.removeAll { $0.sid == sid }
            return content.bans.count < count
        }
    }

    func makeRecordNumber() -> RecordNumber {
        content.withLock { content in
            content.count += 1
            return RecordNumber(at: UnixTime(seconds: 1_700_000_000), counter: 500_000 + content.count)
        }
    }
}

/// An observer that keeps what it is told.
final class RequestLog: RequestObserver {
    private let kept = Mutex<[RequestReport]>([])

    var reports: [RequestReport] { kept.withLock { $0 } }

    func answered(_ report: RequestReport) { kept.withLock { $0.append(report) } }
}

/// Changes that fail when told to.
final class FailingTransactions: StoreTransactions {
    private let store: DirectTransactions
    let error = Mutex<StoreError?>(nil)
    /// Runs before the work: what others did just before.
    let before = Mutex<(@Sendable (Store) throws(StoreError) -> Void)?>(nil)

    init(path: String) throws(StoreError) { store = try DirectTransactions(path: path) }

    func perform<Result: Sendable>(
        _ body: @escaping @Sendable (Store) throws(StoreError) -> Result
    ) throws(StoreError) -> Result {
        if let error = error.withLock({ $0 }) { throw error }
        let first = before.withLock { before in
            defer { before = nil }
            return before
        }
        if let first { try store.perform { store throws(StoreError) in try first(store) } }
        return try store.perform(body)
    }
}

/// Connections that fail to open when told to.
final class FailingStores: Sendable {
    let error = Mutex<StoreError?>(nil)
    let opened = Mutex(0)

    func open(_ path: String) throws(StoreError) -> Store {
        if let error = error.withLock({ $0 }) { throw error }
        opened.withLock { $0 += 1 }
        return try Store(reading: path)
    }
}
