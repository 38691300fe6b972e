import Foundation
import HTTPMessage
import Primitives
import Store

/// Who asks, and what they may act upon.
extension RESTService {
    /// Failed authentications of a source for one account within a minute that are answered 401; more are answered 429.
    private static let freeFailures: UInt32 = 10
    /// The same for all accounts together, which no success forgives: else whoever has one account could go on guessing.
    private static let freeFailuresOfSource: UInt32 = 30

    /// The account whose sid (or e-mail address) and token the request has (RFC 7617).
    ///
    /// The right token is taken also from a source that failed often: behind one address are many programs. It has 128
    /// random bits, so what slows guessing need not lock anybody out.
    func authenticate(_ request: HTTPRequest, _ report: inout RequestReport) throws(Failure) -> AccountRow {
        guard let (name, token) = RESTService.credentials(of: request) else { throw Failure(.notAuthenticated) }
        let pair = RESTService.failureKey(of: request.source, name)
        let found = try account(named: name)
        // The same work for a name that does not exist.
        let isRight = RESTService.isEqual(found?.authToken ?? String(repeating: "0", count: 32), token)
        guard let account = found, isRight else { throw failedAuthentication(from: request.source, pair) }
        if settings.failures.isUsed { settings.failures.reset(pair) }
        report.account = account.sid
        if account.effectiveStatus != "active" { throw Failure(.accountInactive) }
        return account
    }

    private func failedAuthentication(from source: IPAddress, _ pair: HashValue) -> Failure {
        let ofPair = settings.failures.add(pair, now: now())
        let ofSource = settings.failures.add(RESTService.failureKey(of: source, nil), now: now())
        let excess = max(
            Int(ofPair) - Int(RESTService.freeFailures), Int(ofSource) - Int(RESTService.freeFailuresOfSource))
        if excess <= 0 { return Failure(.notAuthenticated) }
        var failure = Failure(.tooManyFailures)
        failure.retryAfter = min(60, 1 << min(6, excess - 1))
        return failure
    }

    /// Name and token of Basic credentials; nil for none, for another scheme, and for what cannot be read.
    private static func credentials(of request: HTTPRequest) -> (name: String, token: String)? {
        let fields = request.headers.values(of: "Authorization")
        guard fields.count == 1 else { return nil }
        let parts = fields[0].split(separator: " ", maxSplits: 1)
        guard parts.count == 2, parts[0].lowercased() == "basic",
            let bytes = Data(base64Encoded: String(parts[1]).trimmingCharacters(in: .whitespaces)),
            let text = String(bytes: bytes, encoding: .utf8), let colon = text.firstIndex(of: ":")
        else { return nil }
        return (String(text[..<colon]), String(text[text.index(after: colon)...]))
    }

    /// Compares in a time that does not depend on where the texts differ.
    static func isEqual(_ left: String, _ right: String) -> Bool {
        let left = Array(left.utf8)
        let right = Array(right.utf8)
        var difference: UInt8 = left.count == right.count ? 0 : 1
        for index in left.indices { difference |= left[index] ^ (index < right.count ? right[index] : 0) }
        return difference == 0
    }

    /// The place in the table of failures of a source, for one account or for all: an IPv6 network of 64 bits is one source.
    private static func failureKey(of source: IPAddress, _ account: String?) -> HashValue {
        var hash = SipHash(key: HashKey(0x7265_7374, 0x6661_696c))
        hash.update(source.high)
        hash.update(source.isIPv4 ? source.low : 0)
        hash.update(byte: account == nil ? 0 : 1)
        account?.lowercased().withSlice { hash.update($0) }
        return hash.finalize()
    }

    /// The account with this sid or e-mail address.
    private func account(named name: String) throws(Failure) -> AccountRow? {
        try stored { store throws(StoreError) in
            name.contains("@") ? try store.account(email: name) : try store.account(sid: name)
        }
    }

    /// The account that the URL names, when the caller is it or stands above it.
    func account(named name: String?, caller: AccountRow) throws(Failure) -> AccountRow {
        guard let name, name != caller.sid else { return caller }
        guard let account = try account(named: name) else {
            // Who stands above all may learn what there is not; nobody else.
            throw Failure(caller.parentSID == nil ? .notFound : .accountOutOfReach)
        }
        if account.id == caller.id { return caller }
        let above = try stored { store throws(StoreError) in try store.ancestors(of: account) }
        guard above.contains(where: { $0.id == caller.id }) else { throw Failure(.accountOutOfReach) }
        return account
    }
}
