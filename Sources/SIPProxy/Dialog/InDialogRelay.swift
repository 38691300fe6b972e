import Primitives
import SIPMessage

/// The two sides of a call that this server stands between.
enum CallSide: UInt8, Sendable {
    /// The one who has called us.
    case caller
    /// The one whom we have called.
    case callee

    /// The other one.
    var other: CallSide { self == .caller ? .callee : .caller }
}

/// What is under way between the two dialogs of a call: requests that were passed from one to the other, and what maps
/// the numbers of one dialog to those of the other.
///
/// Pure bookkeeping: it says what may be passed on, and what a message becomes on the other side.
struct InDialogRelay {
    /// A request of one side that the other one has got.
    struct Pending {
        /// Who has sent it.
        let side: CallSide
        let method: Method
        /// Its server transaction, by which it is answered.
        let server: SlabIndex
        /// The response context of what the other side got.
        var context: SlabIndex
        /// Its number in the dialog of its sender.
        let sequence: UInt32
        /// The number of what the other side got.
        var otherSequence: UInt32
        /// The request as received, with received and rport in its topmost Via.
        let request: [UInt8]
        /// The leg and the dialog of it that got it; nil when the caller did.
        var leg: Int?
        var pair = 0
        /// It was sent a second time, with credentials.
        var isRetried = false
        /// An INVITE that got its 2xx: kept, as that may come again, until the next one.
        var isAnswered = false
    }

    /// An answer to an INVITE that waits for its PRACK (RFC 3262).
    struct ReliableAnswer {
        /// Who gets it.
        let side: CallSide
        /// The RSeq that it has there.
        let sequence: UInt32
        /// The early dialog that it came in; 0 for a re-INVITE.
        let leg: Int
        /// The RSeq that it came with.
        let otherSequence: UInt32
        /// The CSeq number of the INVITE that it answers, on the side that it came from.
        let invite: UInt32
    }

    /// A REFER that was passed on: its number is the id of its NOTIFYs (RFC 3515 section 2.4.6).
    private struct Referral {
        let side: CallSide
        let sequence: UInt32
        let otherSequence: UInt32
    }

    /// Requests of both sides that may be under way at once: more than any phone has, and a bound for what is kept.
    static let limit = 16
    /// Reliable answers that one INVITE may get.
    static let reliableLimit = 32

    private(set) var pending: [Pending] = []
    private(set) var reliable: [ReliableAnswer] = []
    private var referrals: [Referral] = []
    /// Dialogs with reliable answers that each side has had.
    private var reliableDialogs: [2 of UInt32] = [0, 0]
    /// More than the reliable answers of one dialog.
    private static let reliableStep: UInt32 = 64

    /// Nothing under way.
    init() {}

    /// The places of the table that are in use: 0 when nothing is under way.
    var openRequests: Int { pending.count { !$0.isAnswered } }

    // MARK: Requests

    /// Why a request is not passed on.
    struct Refusal: Equatable {
        let status: UInt16
        /// Seconds after which it may be tried again; nil for none.
        var retryAfter: UInt32?
        /// The value of Min-SE of a 422; nil for none.
        var shortestInterval: UInt32?
        /// The value of Unsupported of a 420.
        var unsupported: [UInt8] = []
    }

    /// What stands against passing on a request of `side`, an ACK, CANCEL or BYE excepted; nil for nothing.
    ///
    /// - Parameter isConfirmed: True when the INVITE that began the call has its 2xx.
    func refusal(of request: borrowing SIPMessage, from side: CallSide, isConfirmed: Bool) -> Refusal? {
        switch request.method {
        case .ack, .cancel, .bye: return nil
        case .register, .publish, .subscribe: return Refusal(status: 405)
        case .other: return Refusal(status: 501)
        default: break
        }
        let unsupported = EndToEndHeaders.unsupported(in: request)
        if !unsupported.isEmpty { return Refusal(status: 420, unsupported: unsupported) }
        // 14.2 and RFC 3311 section 5.2 want some seconds of chance: the number of the request is as good.
        let seconds = request.sequenceNumber % 10 + 1
        if openRequests >= InDialogRelay.limit { return Refusal(status: 500, retryAfter: seconds) }
        if request.method == .invite || request.method == .update, SessionTimer.isTooShort(request) {
            return Refusal(status: 422, shortestInterval: SessionTimer.shortestInterval)
        }
        switch request.method {
        case .invite where !isConfirmed: return Refusal(status: 500, retryAfter: seconds)
        case .invite, .update:
            for other in pending where !other.isAnswered && (other.method == .invite || other.method == .update) {
                // 14.2: both ends are changing the session. Neither change reaches the other end.
                if other.side != side { return Refusal(status: 491) }
                if other.method == request.method { return Refusal(status: 500, retryAfter: seconds) }
            }
        case .prack:
            // RFC 3262 section 3: one that acknowledges nothing.
            if reliableAnswer(acknowledgedBy: request, from: side) == nil { return Refusal(status: 481) }
        default: break
        }
        return nil
    }

    /// Notes that a request was passed on.
    mutating func add(_ request: Pending) {
        if request.method == .invite { pending.removeAll { $0.isAnswered && $0.side == request.side } }
        if request.method == .refer {
            if referrals.count >= 4 { referrals.removeFirst() }
            referrals.append(
                Referral(side: request.side, sequence: request.sequence, otherSequence: request.otherSequence))
        }
        pending.append(request)
    }

    /// The place of the request that a response context is of.
    func index(ofContext context: SlabIndex) -> Int? { pending.firstIndex { $0.context == context } }

    /// The place of the request that a server transaction is of.
    func index(ofServer server: SlabIndex) -> Int? { pending.firstIndex { $0.server == server } }

    /// The number that the ACK of this INVITE has on the other side; nil when there is no such INVITE with a 2xx.
    func acknowledgedSequence(_ sequence: UInt32, from side: CallSide) -> UInt32? {
        pending.first { $0.method == .invite && $0.isAnswered && $0.side == side && $0.sequence == sequence }?
            .otherSequence
    }

    // MARK: Answers

    /// Takes a final answer to the request at `index`: it is not under way any more.
    mutating func finish(_ index: Int, status: UInt16) {
        guard pending.indices.contains(index) else { return }
        if pending[index].method == .invite {
            let side = pending[index].side
            reliable.removeAll { $0.side == side && $0.leg == 0 }
        }
        if pending[index].method == .invite, status < 300 {
            pending[index].isAnswered = true
        } else {
            pending.remove(at: index)
        }
    }

    /// Notes that the request at `index` was sent once more, with credentials.
    mutating func retried(_ index: Int, context: SlabIndex, otherSequence: UInt32) {
        guard pending.indices.contains(index) else { return }
        pending[index].isRetried = true
        pending[index].context = context
        pending[index].otherSequence = otherSequence
    }

    /// Forgets all that is under way, as the call is over.
    ///
    /// - Returns: What has to be answered still.
    mutating func end() -> [Pending] {
        let open = pending.filter { !$0.isAnswered }
        self = InDialogRelay()
        return open
    }

    /// The RSeq with which a provisional answer goes to `side`, the same each time that it comes again; nil for one that is not
    /// sent reliably.
    ///
    /// - Parameters:
    ///   - leg: Tells the early dialogs of a call apart, from 1; 0 for the answer to a re-INVITE.
    mutating func reliableSequence(
        for response: borrowing SIPMessage, to side: CallSide, leg: Int
    ) -> UInt32? {
        guard response.status > 100, response.status < 200, response.method == .invite, response.requires("100rel"),
            let value = response.value(of: .rSeq)?.decimal(limit: UInt64(UInt32.max)), value > 0
        else { return nil }
        let sequence = UInt32(value)
        let invite = response.sequenceNumber
        if let known = reliable.first(where: {
            $0.side == side && $0.leg == leg && $0.otherSequence == sequence && $0.invite == invite
        }) {
            return known.sequence
        }
        guard reliable.count < InDialogRelay.reliableLimit else { return nil }
        let place = Int(side.rawValue)
        // RFC 3262 section 3: one more each time within a dialog. Each dialog begins elsewhere, so that a PRACK names one.
        let last = reliable.lazy.filter { $0.side == side && $0.leg == leg && $0.invite == invite }.map(\.sequence)
            .max()
        let given = last.map { $0 + 1 } ?? reliableDialogs[place] * InDialogRelay.reliableStep + 1
        if last == nil { reliableDialogs[place] = (reliableDialogs[place] + 1) % 0x100_0000 }
        reliable.append(
            ReliableAnswer(side: side, sequence: given, leg: leg, otherSequence: sequence, invite: invite))
        return given
    }

    /// The answer that a PRACK of `side` acknowledges; nil for none.
    func reliableAnswer(acknowledgedBy request: borrowing SIPMessage, from side: CallSide) -> ReliableAnswer? {
        guard let value = request.value(of: .rAck) else { return nil }
        var end = 0
        while end < value.count, ASCII.isDigit(value[end]) { end += 1 }
        guard let sequence = value[0..<end].decimal(limit: UInt64(UInt32.max)),
            let invite = CSeq(value.from(value.skippingWhiteSpace(from: end))), invite.method == "INVITE"
        else { return nil }
        return reliable.first { $0.side == side && UInt64($0.sequence) == sequence }
    }

    /// The final answer to the first INVITE has gone to the caller: no answer to it waits for a PRACK any more.
    mutating func finishFirstInvite() { reliable.removeAll { $0.leg > 0 } }

    /// The id of a REFER in the dialog of its sender, for that in a NOTIFY from the one who got it; nil for one that is not
    /// known.
    func referralID(_ id: UInt32, notifiedBy side: CallSide) -> UInt32? {
        referrals.last { $0.side == side.other && $0.otherSequence == id }?.sequence
    }
}
