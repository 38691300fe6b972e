import CSQLite
import Primitives

/// A compiled statement with bound parameters (numbered from 1) and result columns (numbered from 0). It belongs to
/// its connection's thread.
public struct PreparedStatement: ~Copyable {
    private let handle: OpaquePointer
    private let connection: SQLiteConnection
    // Bound bytes are copied here and bound in place: one small copy instead of an allocation a parameter.
    private let scratch: UnsafeMutableRawPointer
    private var scratchUsed = 0
    private static let scratchSize = 4096

    /// Compiles one statement; it keeps its connection open.
    init(_ sql: StaticString, on connection: SQLiteConnection) throws(StoreError) {
        let (compiled, code) = sql.withUTF8Buffer { PreparedStatement.compile($0, on: connection) }
        try self.init(compiled, code: code, on: connection)
    }

    /// Compiles one statement that was put together from constant pieces (`Query`).
    init(_ sql: [UInt8], on connection: SQLiteConnection) throws(StoreError) {
        let (compiled, code) = sql.withUnsafeBufferPointer { PreparedStatement.compile($0, on: connection) }
        try self.init(compiled, code: code, on: connection)
    }

    private static func compile(
        _ sql: UnsafeBufferPointer<UInt8>, on connection: SQLiteConnection
    ) -> (OpaquePointer?, Int32) {
        var compiled: OpaquePointer?
        let code = sql.withMemoryRebound(to: CChar.self) {
            sqlite3_prepare_v3(
                connection.handle, $0.baseAddress, Int32($0.count), UInt32(SQLITE_PREPARE_PERSISTENT), &compiled, nil)
        }
        return (compiled, code)
    }

    private init(_ compiled: OpaquePointer?, code: Int32, on connection: SQLiteConnection) throws(StoreError) {
        guard let compiled, code == SQLITE_OK else { throw connection.error(code) }
        handle = compiled
        self.connection = connection
        scratch = UnsafeMutableRawPointer.allocate(byteCount: PreparedStatement.scratchSize, alignment: 8)
    }

    deinit {
        sqlite3_finalize(handle)
        scratch.deallocate()
    }

    /// Binds a number.
    public mutating func bind(_ index: Int32, _ value: Int64) { sqlite3_bind_int64(handle, index, value) }

    /// Binds a number or NULL.
    public mutating func bind(_ index: Int32, _ value: Int64?) {
        if let value { bind(index, value) } else { sqlite3_bind_null(handle, index) }
    }

    /// Binds a point of time as milliseconds.
    public mutating func bind(_ index: Int32, _ value: UnixTime) { bind(index, value.milliseconds) }

    /// Binds bytes or NULL.
    public mutating func bind(_ index: Int32, _ value: [UInt8]?) {
        guard let value else {
            sqlite3_bind_null(handle, index)
            return
        }
        value.withUnsafeBytes { bind(index, $0, isText: false) }
    }

    /// Binds text or NULL.
    public mutating func bind(_ index: Int32, _ value: String?) {
        guard var value else {
            sqlite3_bind_null(handle, index)
            return
        }
        value.withUTF8 { bind(index, UnsafeRawBufferPointer($0), isText: true) }
    }

    /// Binds bytes from the wire as text: what is no UTF-8, and NUL, where SQLite's functions end a text, become U+FFFD.
    public mutating func bind(_ index: Int32, wireText bytes: [UInt8]) {
        if bytes.allSatisfy({ $0 != 0 && $0 < 0x80 }) {
            bytes.withUnsafeBytes { bind(index, $0, isText: true) }
            return
        }
        let repaired = Array(String(decoding: bytes, as: UTF8.self).utf8)
        let text = repaired.contains(0) ? repaired.flatMap { $0 == 0 ? [0xef, 0xbf, 0xbd] : [$0] } : repaired
        text.withUnsafeBytes { bind(index, $0, isText: true) }
    }

    /// Binds an address and port as 18 bytes: the address in network order, then the port.
    public mutating func bind(_ index: Int32, _ value: SocketAddress) {
        var packed = (value.address.high.bigEndian, value.address.low.bigEndian, value.port.bigEndian)
        withUnsafeBytes(of: &packed) { bind(index, UnsafeRawBufferPointer(rebasing: $0[0..<18]), isText: false) }
    }

    private mutating func bind(_ index: Int32, _ bytes: UnsafeRawBufferPointer, isText: Bool) {
        let count = bytes.count
        guard let base = bytes.baseAddress, count > 0 else {
            // A null pointer would bind NULL instead of nothing.
            if isText { sqlite3_bind_text(handle, index, "", 0, nil) } else { sqlite3_bind_zeroblob(handle, index, 0) }
            return
        }
        guard count <= PreparedStatement.scratchSize - scratchUsed else {
            // SQLite refuses what is over its limit of 1 GB; NULL must stand there then, not the value before.
            sqlite3_bind_null(handle, index)
            let limited = Int32(clamping: count)
            if isText {
                _ = rollcall_bind_text_copy(handle, index, base.assumingMemoryBound(to: CChar.self), limited)
            } else {
                _ = rollcall_bind_blob_copy(handle, index, base, limited)
            }
            return
        }
        let place = scratch + scratchUsed
        place.copyMemory(from: base, byteCount: count)
        scratchUsed += count
        if isText {
            sqlite3_bind_text(handle, index, place.assumingMemoryBound(to: CChar.self), Int32(count), nil)
        } else {
            sqlite3_bind_blob(handle, index, place, Int32(count), nil)
        }
    }

    /// Goes to the next row: true when there is one. On an error the statement is reset.
    public mutating func step() throws(StoreError) -> Bool {
        let code = sqlite3_step(handle)
        if code == SQLITE_ROW { return true }
        if code == SQLITE_DONE { return false }
        let error = connection.error(code)
        reset()
        throw error
    }

    /// Runs to the end and resets, for statements without result rows.
    public mutating func run() throws(StoreError) {
        while try step() {}
        reset()
    }

    /// Makes the statement ready to be bound and run again.
    public mutating func reset() {
        sqlite3_reset(handle)
        scratchUsed = 0
    }

    /// True when the column is NULL.
    public func isNull(_ column: Int32) -> Bool { sqlite3_column_type(handle, column) == SQLITE_NULL }

    /// The column as a number, 0 for NULL.
    public func integer(_ column: Int32) -> Int64 { sqlite3_column_int64(handle, column) }

    /// The column as a point of time.
    public func time(_ column: Int32) -> UnixTime { UnixTime(milliseconds: integer(column)) }

    /// The column as a number, nil for NULL.
    public func optionalInteger(_ column: Int32) -> Int64? { isNull(column) ? nil : integer(column) }

    /// The column as a point of time, nil for NULL.
    public func optionalTime(_ column: Int32) -> UnixTime? { isNull(column) ? nil : time(column) }

    /// The column as bytes, empty for NULL.
    public func bytes(_ column: Int32) -> [UInt8] {
        // The order is SQLite's rule: first the pointer, then the length.
        guard let base = sqlite3_column_blob(handle, column) else { return [] }
        return [UInt8](UnsafeRawBufferPointer(start: base, count: Int(sqlite3_column_bytes(handle, column))))
    }

    /// The column as bytes, nil for NULL.
    public func optionalBytes(_ column: Int32) -> [UInt8]? { isNull(column) ? nil : bytes(column) }

    /// The column as text, empty for NULL.
    public func text(_ column: Int32) -> String {
        guard let base = sqlite3_column_text(handle, column) else { return "" }
        let buffer = UnsafeBufferPointer(start: base, count: Int(sqlite3_column_bytes(handle, column)))
        return String(decoding: buffer, as: UTF8.self)
    }

    /// The column as text, nil for NULL.
    public func optionalText(_ column: Int32) -> String? { isNull(column) ? nil : text(column) }

    /// The column as an address and port; :: and 0 when it does not hold 18 bytes.
    public func address(_ column: Int32) -> SocketAddress {
        guard let base = sqlite3_column_blob(handle, column), sqlite3_column_bytes(handle, column) == 18 else {
            return SocketAddress(address: IPAddress(high: 0, low: 0), port: 0)
        }
        let bytes = UnsafeRawBufferPointer(start: base, count: 18)
        let high = UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 0, as: UInt64.self))
        let low = UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
        let port = UInt16(bigEndian: bytes.loadUnaligned(fromByteOffset: 16, as: UInt16.self))
        return SocketAddress(address: IPAddress(high: high, low: low), port: port)
    }
}
