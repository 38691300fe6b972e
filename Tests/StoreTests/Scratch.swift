import Glibc
import Primitives
import Synchronization

@testable import Store

/// A directory of its own for one test, removed at the end.
final class Scratch {
    let directory: String
    var path: String { directory + "/rollcall.sqlite" }

    init() {
        directory = "/tmp/rollcall-store-\(getpid())-\(UInt64.random(in: 0...UInt64.max))"
        mkdir(directory, 0o755)
    }

    deinit {
        for name in Scratch.names(in: directory) { unlink(directory + "/" + name) }
        rmdir(directory)
    }

    static func names(in directory: String) -> [String] {
        guard let stream = opendir(directory) else { return [] }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names
    }

    static func contents(of path: String) -> [UInt8] {
        let descriptor = open(path, O_RDONLY)
        guard descriptor >= 0 else { return [] }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = read(descriptor, &buffer, buffer.count)
            if count <= 0 { return bytes }
            bytes += buffer[..<count]
        }
    }

    static func write(_ bytes: [UInt8], to path: String) {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0o644)
        guard descriptor >= 0 else { return }
        defer { close(descriptor) }
        var offset = 0
        while offset < bytes.count {
            let count = bytes.withUnsafeBytes {
                Glibc.write(descriptor, $0.baseAddress.map { $0 + offset }, $0.count - offset)
            }
            if count <= 0 { return }
            offset += count
        }
    }

    static func mode(of path: String) -> UInt32 {
        var status = stat()
        return stat(path, &status) == 0 ? status.st_mode & 0o777 : 0
    }
}

let past = UnixTime(seconds: 1_700_000_000)

extension ClientRow {
    /// A client for tests.
    static func sample(_ login: String, account: Int64) -> ClientRow {
        ClientRow(
            accountID: account, login: login, friendlyName: login, password: "secret",
            ha1MD5: [UInt8](repeating: 1, count: 16), ha1SHA256: [UInt8](repeating: 2, count: 32),
            ha1SHA512_256: [UInt8](repeating: 3, count: 32), realm: "example.org", date: past)
    }
}

extension BindingRow {
    /// A binding for tests.
    static func sample(client: Int64, key: String = "one", expires: UnixTime = UnixTime(seconds: 4_000_000_000))
        -> BindingRow
    {
        BindingRow(
            clientID: client, key: Array(key.utf8), contact: Array("<sip:alice@192.0.2.1:5060>".utf8),
            callIDHash: HashValue(UInt64.max, 7), cseq: UInt32.max, expiresAt: expires, q: 500,
            instance: Array("<urn:uuid:1>".utf8), regID: 3, path: Array("<sip:edge;lr>".utf8), userAgent: [],
            transport: .tcp, remote: SocketAddress(address: IPAddress(high: 1, low: 2), port: 65_535),
            listener: "tcp-1", createdAt: past, updatedAt: past)
    }
}

extension CallRow {
    /// A call for tests that is in progress, begun as many milliseconds after `past` as its number says.
    static func sample(_ number: Int64, account: Int64, from: String = "alice", to: String = "bob") -> CallRow {
        let time = UnixTime(milliseconds: past.milliseconds + number)
        return CallRow(
            number: RecordNumber(at: time, counter: 0), accountID: account, from: from, to: to, callerName: "Alice",
            direction: "client-to-client", status: .inProgress, startedAt: time, answeredAt: time, callID: "call")
    }
}

extension MessageRow {
    /// A text for tests that is on its way.
    static func sample(_ number: Int64, account: Int64, from: String = "alice", to: String = "bob", body: String = "Hi")
        -> MessageRow
    {
        let time = UnixTime(milliseconds: past.milliseconds + number)
        return MessageRow(
            number: RecordNumber(at: time, counter: 0), accountID: account, from: from, to: to, body: body,
            direction: "outbound-api", status: .sending, createdAt: time)
    }
}

extension Store {
    /// An account and `count` clients named `client1` and so on.
    @discardableResult
    func fill(clients count: Int) throws(StoreError) -> [ClientRow] {
        let account = try createAccount(friendlyName: "Test", at: past)
        return try transaction { () throws(StoreError) in
            var clients: [ClientRow] = []
            for number in 0..<count {
                clients.append(try createClient(.sample("client\(number + 1)", account: account.id)))
            }
            return clients
        }
    }

    /// How SQLite runs a query.
    func plan(_ query: Query) throws(StoreError) -> String {
        try connection.rows(query.explained) { $0.text(3) }.joined(separator: "; ")
    }

    var allBindings: [BindingRow] {
        get throws {
            var rows: [BindingRow] = []
            try forEachBinding(liveAt: past) { row, _ in rows.append(row) }
            return rows
        }
    }
}

extension Query {
    /// The query that tells how this one is run.
    fileprivate var explained: Query {
        var query = self
        query.sql.insert(contentsOf: Array("EXPLAIN QUERY PLAN ".utf8), at: 0)
        return query
    }
}

/// What a writer reported, gathered from its thread.
final class Reports: Sendable {
    struct Content {
        var good: [Int] = []
        var bad: [(receipts: [Int], error: StoreError)] = []
        var calls = 0
        var changes: [ClientChange] = []
    }

    let content = Mutex(Content())

    func writer(_ path: String, options: StoreOptions = StoreOptions(), after change: Int64 = 0) throws(StoreError)
        -> StoreWriter<Int>
    {
        try StoreWriter<Int>(
            path: path, options: options, after: change,
            committed: { [self] receipts, error in
                content.withLock { content in
                    content.calls += 1
                    if let error { content.bad.append((receipts, error)) } else { content.good += receipts }
                }
            },
            changed: { [self] changes in content.withLock { $0.changes += changes } })
    }

    var good: [Int] { content.withLock { $0.good } }
    var bad: [(receipts: [Int], error: StoreError)] { content.withLock { $0.bad } }
    var changes: [ClientChange] { content.withLock { $0.changes.filter { $0.application == nil } } }
    var applications: [ApplicationChange] { content.withLock { $0.changes.compactMap(\.application) } }

    /// Waits for a condition, up to five seconds unless said otherwise.
    static func wait(milliseconds: Int = 5000, _ condition: () -> Bool) -> Bool {
        for _ in 0..<milliseconds / 5 {
            if condition() { return true }
            usleep(5000)
        }
        return condition()
    }
}
