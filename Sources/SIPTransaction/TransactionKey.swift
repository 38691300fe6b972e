public import Primitives

/// What identifies a transaction: a keyed hash of the parts of a message that RFC 3261 sections 17.1.3 and 17.2.3 compare.
///
/// The table that it is looked up in can be filled by strangers; without the hash's secret they cannot choose collisions.
/// Server and client transactions never have the same key, and one table may hold both.
@frozen
public struct TransactionKey: Hashable, Sendable {
    /// The hash.
    public let value: HashValue

    /// True when a branch was made by the rules of RFC 3261 and identifies its transaction alone: it begins with z9hG4bK
    /// (section 8.1.1.7) and has more than that.
    @inlinable
    public static func isUnique(branch: ByteSlice) -> Bool {
        branch.count > 7 && branch.starts(withIgnoringCase: "z9hG4bK")
    }

    /// The key of the server transaction of a request whose top Via has a unique branch (section 17.2.3).
    ///
    /// An ACK gets the key of its INVITE; a CANCEL is a transaction of its own. `port` is the sent-by port as given, 0
    /// when there is none. Branch and host are compared without case (section 7.3.1).
    public init(method: ByteSlice, branch: ByteSlice, host: ByteSlice, port: UInt16, secret: HashKey) {
        var hash = TransactionKey.hash(.server, branch.count, host.count, port, secret)
        hash.update(ignoringCase: branch)
        hash.update(ignoringCase: host)
        hash.update(TransactionKey.creatingMethod(method))
        value = hash.finalize()
    }

    /// The key of the server transaction that a CANCEL with this top Via wants to end (section 9.2).
    ///
    /// Only an INVITE can be cancelled (section 9.1). For a CANCEL of anything else nothing is found, and the answer is
    /// 481, which ends that client's attempt as well as a 200 without effect would.
    public init(cancelledByBranch branch: ByteSlice, host: ByteSlice, port: UInt16, secret: HashKey) {
        self.init(method: "INVITE", branch: branch, host: host, port: port, secret: secret)
    }

    /// The key of the server transaction of a request of RFC 2543, whose branch is not unique (section 17.2.3).
    ///
    /// The To tag is left out: the INVITE may have none where its ACK has that of the response. `via` is the top Via
    /// value as it came. For the INVITE that a CANCEL refers to, call it again with the method INVITE.
    public init(
        method: ByteSlice, requestURI: ByteSlice, fromTag: ByteSlice, callID: ByteSlice, sequence: UInt32,
        via: ByteSlice, secret: HashKey
    ) {
        var hash = TransactionKey.hash(.oldServer, requestURI.count, fromTag.count, 0, secret)
        hash.update(UInt64(sequence))
        hash.update(UInt64(callID.count))
        hash.update(UInt64(via.count))
        hash.update(requestURI)
        hash.update(fromTag)
        hash.update(callID)
        hash.update(via)
        hash.update(TransactionKey.creatingMethod(method))
        value = hash.finalize()
    }

    /// The key of the client transaction that a response belongs to, by the branch of its top Via and the method of its
    /// CSeq (section 17.1.3); the branch is ours.
    public init(responseBranch branch: ByteSlice, method: ByteSlice, secret: HashKey) {
        var hash = TransactionKey.hash(.client, branch.count, 0, 0, secret)
        hash.update(branch)
        hash.update(method)
        value = hash.finalize()
    }

    private enum Kind: UInt64 {
        case server = 1
        case oldServer = 2
        case client = 3
    }

    /// The start of a key: the lengths come first, so that no two lists of parts are the same bytes.
    private static func hash(
        _ kind: Kind, _ firstLength: Int, _ secondLength: Int, _ port: UInt16, _ secret: HashKey
    ) -> SipHash {
        var hash = SipHash(key: secret)
        hash.update(kind.rawValue << 16 | UInt64(port))
        hash.update(UInt64(firstLength))
        hash.update(UInt64(secondLength))
        return hash
    }

    /// The method of the request that made the transaction: an ACK belongs to its INVITE's.
    private static func creatingMethod(_ method: ByteSlice) -> ByteSlice { method == "ACK" ? "INVITE" : method }
}
