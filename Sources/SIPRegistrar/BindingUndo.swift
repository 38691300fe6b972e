import Primitives

/// What takes the changes of a REGISTER back when they could not be stored.
///
/// The arrays are shared with the location service, not copied: on the way of a REGISTER this costs two references.
public struct BindingUndo: Sendable {
    /// The client's place in the location service.
    public let client: LoginKey
    /// The number of the client's row.
    let clientID: Int64
    /// The client's bindings before the REGISTER, and after it.
    let before: [Binding]
    let after: [Binding]
}

/// Bindings that could not be stored, for a while: a later REGISTER may have one of them as what was before it.
struct UnstoredBindings: Sendable {
    /// What makes a binding at a moment: a later REGISTER has another CSeq, Call-ID or time.
    private struct Identity: Hashable {
        let client: LoginKey
        let callIDHash: HashValue
        let sequenceNumber: UInt32
        let updatedAt: UnixTime
        let contact: [UInt8]
    }

    /// More are not kept: with that many failures at a time nothing is stored anyway, and what was before is no better.
    private static let limit = 16_384
    /// No change waits longer for its commit than this, in milliseconds.
    private static let lifetime: Int64 = 60_000

    private var previous: [Identity: Binding?] = [:]
    private var older: [Identity: Binding?] = [:]
    private var turnedAt = UnixTime(milliseconds: 0)

    /// Notes that a binding could not be stored, and what was in its place.
    mutating func note(_ binding: Binding, of client: LoginKey, insteadOf before: Binding?, now: UnixTime) {
        let age = now.milliseconds &- turnedAt.milliseconds
        if previous.count >= UnstoredBindings.limit || age < 0 || age > UnstoredBindings.lifetime {
            older = previous
            previous = [:]
            turnedAt = now
        }
        previous[UnstoredBindings.identity(of: binding, client)] = .some(before)
    }

    /// The binding, or what was stored in its place when it could not be stored itself.
    func stored(_ binding: Binding?, of client: LoginKey) -> Binding? {
        var binding = binding
        // Each step goes back in time; the bound is for what should not be.
        for _ in 0..<100 {
            guard let current = binding else { return nil }
            let identity = UnstoredBindings.identity(of: current, client)
            guard let before = previous[identity] ?? older[identity] else { return current }
            binding = before
        }
        return nil
    }

    private static func identity(of binding: Binding, _ client: LoginKey) -> Identity {
        Identity(
            client: client, callIDHash: binding.callIDHash, sequenceNumber: binding.sequenceNumber,
            updatedAt: binding.updatedAt, contact: binding.contact)
    }
}

extension Binding {
    /// True for the same binding as the same REGISTER left it.
    func isUnchanged(since other: Binding) -> Bool {
        callIDHash == other.callIDHash && sequenceNumber == other.sequenceNumber && updatedAt == other.updatedAt
            && expiresAt == other.expiresAt && key == other.key
    }
}
