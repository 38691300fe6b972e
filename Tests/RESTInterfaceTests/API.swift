import Glibc
import HTTPMessage
import Primitives
import Store
import Synchronization
import Testing

@testable import RESTInterface

/// The API over a scratch database in virtual time, with one top account.
final class API {
    let scratch = Scratch()
    let clock = Clock()
    let phones = Phones()
    let log = RequestLog()
    let transactions: FailingTransactions
    let reading = FailingStores()
    let service: RESTService
    /// The account that asks unless another is named.
    let top: AccountRow
    private let counter = Mutex<UInt64>(0)

    init(_ change: (inout RESTSettings) -> Void = { _ in }) throws {
        let path = scratch.path
        transactions = try FailingTransactions(path: path)
        let made = clock.now
        top = try transactions.perform { store throws(StoreError) in
            try store.createAccount(friendlyName: "Top", email: "top@example.com", at: made)
        }
        let reading = reading
        var settings = RESTSettings(
            realm: "example.com", openStore: { () throws(StoreError) in try reading.open(path) },
            transactions: transactions, sip: phones, observer: log)
        change(&settings)
        phones.drop.withLock { [transactions] drop in
            drop = { client, key in
                _ = try? transactions.perform { store throws(StoreError) in
                    try store.removeBinding(client: client, key: key)
                }
            }
        }
        let clock = clock
        service = try RESTService(settings) { clock.now }
    }

    // MARK: Requests

    /// Asks: `path` is one of the account `of` (the caller's unless given), or with a slash one behind the prefix.
    func send(
        _ method: String, _ path: String, _ form: KeyValuePairs<String, String> = [:], of account: String? = nil,
        as caller: AccountRow? = nil, _ headers: KeyValuePairs<String, String> = [:], from source: String = "192.0.2.1"
    ) -> Answer {
        let caller = caller ?? top
        var lines = ["Authorization: \(API.basic(caller.sid, caller.authToken))"]
        if !headers.contains(where: { $0.key == "Accept" }) { lines.append("Accept: application/json") }
        lines += headers.map { "\($0.key): \($0.value)" }
        let target = path.hasPrefix("/") ? path : "/Accounts/\(account ?? caller.sid)/\(path)"
        return exchange(method, "/2012-04-24" + target, API.encoded(form), lines, from: source)
    }

    /// Asks with exactly these header lines.
    func exchange(
        _ method: String, _ target: String, _ body: String = "", _ lines: [String] = [],
        type: String? = "application/x-www-form-urlencoded", from source: String = "192.0.2.1"
    ) -> Answer {
        var lines = lines
        if !body.isEmpty {
            lines.append("Content-Length: \(body.utf8.count)")
            if let type { lines.append("Content-Type: \(type)") }
        }
        let head = "\(method) \(target) HTTP/1.1\r\nHost: api\r\n" + lines.map { $0 + "\r\n" }.joined() + "\r\n"
        guard let source = source.withSlice({ IPAddress($0) }) else { return .none }
        var parser = HTTPRequestParser(source: source)
        (head + body).withSlice { parser.append($0) }
        guard case .request(let request, _, _) = parser.next() else {
            Issue.record("\(method) \(target) cannot be read")
            return .none
        }
        return Answer(service.respond(to: request))
    }

    /// The value of Authorization.
    static func basic(_ name: String, _ token: String) -> String { "Basic " + base64(Array("\(name):\(token)".utf8)) }

    static func base64(_ bytes: [UInt8]) -> String {
        let letters = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
        var text = ""
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let part = (0..<3).map { start + $0 < bytes.count ? Int(bytes[start + $0]) : 0 }
            let word = part[0] << 16 | part[1] << 8 | part[2]
            for place in 0..<4 {
                text.append(start + place - 1 < bytes.count ? letters[word >> (18 - 6 * place) & 63] : "=")
            }
        }
        return text
    }

    /// A form as a body.
    static func encoded(_ form: KeyValuePairs<String, String>) -> String {
        form.map { "\(escaped($0.key))=\(escaped($0.value))" }.joined(separator: "&")
    }

    /// Text as it stands in a form or query.
    static func escaped(_ text: String) -> String {
        text.utf8.map { byte in
            ASCII.isUnreserved(byte)
                ? String(Unicode.Scalar(byte)) : "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
        }.joined()
    }

    // MARK: What there is

    func account(_ name: String, below parent: AccountRow? = nil, email: String = "") throws -> AccountRow {
        let (sid, now) = (parent?.sid, clock.now)
        return try transactions.perform { store throws(StoreError) in
            try store.createAccount(friendlyName: name, email: email, parentSID: sid, at: now)
        }
    }

    func setStatus(_ status: AccountStatus, of account: AccountRow) throws {
        let now = clock.now
        try transactions.perform { store throws(StoreError) in
            _ = try store.setAccountStatus(id: account.id, status: status, at: now)
        }
    }

    @discardableResult
    func client(_ login: String, of account: AccountRow? = nil, status: Int64 = 1) throws -> ClientRow {
        try clients([login], of: account, status: status)[0]
    }

    @discardableResult
    func clients(_ logins: [String], of account: AccountRow? = nil, status: Int64 = 1) throws -> [ClientRow] {
        let (account, now) = (account ?? top, clock.now)
        return try transactions.perform { store throws(StoreError) in
            var rows: [ClientRow] = []
            for login in logins {
                var row = ClientRow(
                    accountID: account.id, login: login, friendlyName: login, password: nil, ha1MD5: [], ha1SHA256: [],
                    ha1SHA512_256: [], realm: "example.com", date: now)
                row.setPassword("secret-\(login)", realm: "example.com", isKept: true)
                row.status = status
                rows.append(try store.createClient(row))
            }
            return rows
        }
    }

    func application(_ name: String, of account: AccountRow? = nil) throws -> ApplicationRow {
        let row = ApplicationRow(accountID: (account ?? top).id, friendlyName: name, date: clock.now)
        return try transactions.perform { store throws(StoreError) in try store.createApplication(row) }
    }

    @discardableResult
    func number(_ number: String, of account: AccountRow? = nil) throws -> NumberRow {
        let row = NumberRow(
            accountID: (account ?? top).id, phoneNumber: number, isSIP: false, friendlyName: number, date: clock.now)
        return try transactions.perform { store throws(StoreError) in try store.createNumber(row) }
    }

    /// Registers devices, which the store thread of a server would do.
    func bind(_ bindings: [BindingRow]) throws {
        var options = StoreOptions()
        let clock = clock
        options.clock = { clock.now }
        let writer = try StoreWriter<Int>(path: scratch.path, options: options) { _, error in #expect(error == nil) }
        #expect(writer.enqueue(bindings.map { .upsertBinding($0) }))
        writer.stop()
    }

    func binding(_ client: ClientRow, _ key: String = "one", expiresIn seconds: Int64 = 600) -> BindingRow {
        BindingRow(
            clientID: client.id, key: Array(key.utf8), contact: Array("sip:\(client.login)@192.0.2.7:5061".utf8),
            callIDHash: HashValue(1, 2), cseq: 1,
            expiresAt: UnixTime(milliseconds: clock.now.milliseconds + seconds * 1000), q: 1000, instance: nil,
            regID: nil, path: nil, userAgent: Array("Phone/1".utf8), transport: .udp,
            remote: SocketAddress(address: IPAddress(ipv4: 0xc000_0207), port: 5061), listener: "udp-1",
            createdAt: clock.now, updatedAt: clock.now)
    }

    /// A new number of a record.
    func recordNumber() -> RecordNumber {
        let count = counter.withLock { count in
            count += 1
            return count
        }
        return RecordNumber(at: clock.now, counter: count)
    }

    @discardableResult
    func call(_ from: String, _ to: String, of account: AccountRow? = nil, _ change: (inout CallRow) -> Void = { _ in })
        throws -> CallRow
    {
        var row = CallRow(
            number: recordNumber(), accountID: (account ?? top).id, from: from, to: to, callerName: from,
            direction: "client-to-client", status: .ringing, startedAt: clock.now, callID: "call@\(from)")
        change(&row)
        let wanted = row
        try transactions.perform { store throws(StoreError) in try store.insertCall(wanted) }
        return row
    }

    @discardableResult
    func message(
        _ from: String, _ to: String, _ body: String = "hello", of account: AccountRow? = nil,
        _ change: (inout MessageRow) -> Void = { _ in }
    ) throws -> MessageRow {
        var row = MessageRow(
            number: recordNumber(), accountID: (account ?? top).id, from: from, to: to, body: body,
            direction: "outbound-call", status: .sending, createdAt: clock.now)
        change(&row)
        let wanted = row
        try transactions.perform { store throws(StoreError) in try store.insertMessage(wanted) }
        return row
    }

    @discardableResult
    func notification(
        of record: RecordNumber, _ text: String = "It failed.", account: AccountRow? = nil,
        _ change: (inout NotificationRow) -> Void = { _ in }
    ) throws -> NotificationRow {
        var row = NotificationRow(
            accountID: (account ?? top).id, record: record, level: 0, code: 11_205, message: text,
            createdAt: clock.now)
        change(&row)
        let wanted = row
        row.number = try transactions.perform { store throws(StoreError) in
            try store.insertNotification(wanted) ?? RecordNumber(0)
        }
        return row
    }

    /// Reads from the database as it is now.
    func stored<Row>(_ body: (Store) throws(StoreError) -> Row) throws -> Row {
        try body(try Store(reading: scratch.path))
    }
}

/// A directory of its own for one test, removed at the end.
final class Scratch: Sendable {
    let directory = "/tmp/rollcall-rest-\(getpid())-\(UInt64.random(in: 0...UInt64.max))"
    var path: String { directory + "/rollcall.sqlite" }

    init() { mkdir(directory, 0o755) }

    deinit {
        for suffix in ["", "-wal", "-shm", "-lock", ".lock"] { unlink(path + suffix) }
        rmdir(directory)
    }
}

/// The time, which passes only when told.
final class Clock: Sendable {
    private let time = Mutex(UnixTime(milliseconds: 1_700_000_000_250))

    var now: UnixTime { time.withLock { $0 } }

    func wait(seconds: Int64) { time.withLock { $0.milliseconds += seconds * 1000 } }
    func wait(milliseconds: Int64) { time.withLock { $0.milliseconds += milliseconds } }
}
