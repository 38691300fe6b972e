import Primitives

/// A binding of a client's address-of-record to a contact, as stored.
public struct BindingRow: Equatable, Sendable {
    /// The number of the client's row.
    public var clientID: Int64
    /// What tells this binding from the client's others.
    public var key: [UInt8]
    /// The contact's URI with its parameters, as the client sent it.
    public var contact: [UInt8]
    /// The hash of the Call-ID of the last REGISTER (RFC 3261 10.3 step 7).
    public var callIDHash: HashValue
    /// The CSeq number of the last REGISTER.
    public var cseq: UInt32
    /// When the binding ends.
    public var expiresAt: UnixTime
    /// The preference in thousandths, 0 to 1000.
    public var q: UInt16
    /// The instance-id of RFC 5626, nil for none.
    public var instance: [UInt8]?
    /// The reg-id of RFC 5626, nil for none.
    public var regID: UInt32?
    /// The Path of RFC 3327, nil for none.
    public var path: [UInt8]?
    /// The User-Agent, may be empty.
    public var userAgent: [UInt8]
    /// The transport that the REGISTER came by.
    public var transport: TransportProtocol
    /// The address that the REGISTER came from.
    public var remote: SocketAddress
    /// The name of the listener that it reached; empty for one on a stream of before a restart.
    public var listener: String
    /// When the binding was first made; a later change leaves it.
    public var createdAt: UnixTime
    /// When it was last refreshed.
    public var updatedAt: UnixTime

    /// All parts of the row.
    public init(
        clientID: Int64, key: [UInt8], contact: [UInt8], callIDHash: HashValue, cseq: UInt32, expiresAt: UnixTime,
        q: UInt16, instance: [UInt8]?, regID: UInt32?, path: [UInt8]?, userAgent: [UInt8],
        transport: TransportProtocol, remote: SocketAddress, listener: String, createdAt: UnixTime, updatedAt: UnixTime
    ) {
        self.clientID = clientID
        self.key = key
        self.contact = contact
        self.callIDHash = callIDHash
        self.cseq = cseq
        self.expiresAt = expiresAt
        self.q = q
        self.instance = instance
        self.regID = regID
        self.path = path
        self.userAgent = userAgent
        self.transport = transport
        self.remote = remote
        self.listener = listener
        self.createdAt = createdAt
        self.updatedAt = updatedAt
    }
}

extension BindingRow {
    /// Reads all columns of the table in their order, from column `first` on. A number out of range is limited, not trusted.
    init(_ statement: borrowing PreparedStatement, from first: Int32 = 0) {
        clientID = statement.integer(first)
        key = statement.bytes(first + 1)
        contact = statement.bytes(first + 2)
        callIDHash = HashValue(
            UInt64(bitPattern: statement.integer(first + 3)), UInt64(bitPattern: statement.integer(first + 4)))
        cseq = UInt32(clamping: statement.integer(first + 5))
        expiresAt = statement.time(first + 6)
        q = UInt16(clamping: statement.integer(first + 7))
        instance = statement.optionalBytes(first + 8)
        regID = statement.isNull(first + 9) ? nil : UInt32(clamping: statement.integer(first + 9))
        path = statement.optionalBytes(first + 10)
        userAgent = statement.bytes(first + 11)
        transport = TransportProtocol(rawValue: UInt8(clamping: statement.integer(first + 12))) ?? .udp
        remote = statement.address(first + 13)
        listener = statement.text(first + 14)
        createdAt = statement.time(first + 15)
        updatedAt = statement.time(first + 16)
    }

    /// Binds all columns in their order, so that `?1` is the client and `?17` the last refresh.
    func bind(to statement: inout PreparedStatement) {
        statement.bind(1, clientID)
        statement.bind(2, key)
        statement.bind(3, contact)
        statement.bind(4, Int64(bitPattern: callIDHash.first))
        statement.bind(5, Int64(bitPattern: callIDHash.second))
        statement.bind(6, Int64(cseq))
        statement.bind(7, expiresAt)
        statement.bind(8, Int64(q))
        statement.bind(9, instance)
        statement.bind(10, regID.map { Int64($0) })
        statement.bind(11, path)
        statement.bind(12, userAgent)
        statement.bind(13, Int64(transport.rawValue))
        statement.bind(14, remote)
        statement.bind(15, listener)
        statement.bind(16, createdAt)
        statement.bind(17, updatedAt)
    }
}
