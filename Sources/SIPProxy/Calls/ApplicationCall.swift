import CallControl
import Observability
import Primitives
import SIPMessage
import SIPRegistrar

/// Which call a request of the server's own belongs to, and what it is there.
struct RequestUser {
    enum Part: UInt8 {
        /// The INVITE of a leg.
        case leg
        /// The INVITE to the party of a call that the API has started.
        case party
        /// The INVITE that brings an answered caller the session of a new leg (RFC 3725).
        case session
        /// A request passed from one side to the other.
        case relay
        /// A BYE, of which nothing is expected but its end.
        case bye
        /// A text; the number is its id.
        case text
    }

    var call = SlabIndex.none
    var part = Part.bye
    /// The leg.
    var number = 0
}

/// What the proxy core tells a call, in order; handled when the event that caused it is.
struct CallInput {
    enum Kind {
        /// A provisional answer but 100, or a 2xx, as it came, and the flow that the request went over.
        case response([UInt8], Flow)
        /// The request has failed: the final status and reason, and the answer itself where there was one.
        case failed(UInt16, Reason, [UInt8])
        /// The context is gone: nothing will come of the request any more.
        case forgotten
        /// An event for the program.
        case event(CallEvent)
    }

    var user: RequestUser
    var context = SlabIndex.none
    var kind: Kind
}

/// One dialog with a callee, and the one in which the caller sees it.
struct DialogPair {
    var callee: Dialog
    /// What the caller has of it, until the caller has been answered.
    var caller: Dialog?
    /// The last provisional answer that the caller was told, a hash of its body, and when.
    var told: (status: UInt16, body: UInt64, at: Instant)?
    /// Its 2xx was acknowledged.
    var isAcknowledged = false
    /// It was ended by us, or by the callee.
    var isEnded = false
}

/// One party of a Dial.
struct CallLeg {
    let record: RecordNumber
    let party: Dial.Party
    let callID: [UInt8]
    let localTag: [UInt8]
    /// The INVITE without Via, to send it again with credentials; empty once it is answered.
    var invite: [UInt8] = []
    /// Where it was sent, for the same.
    var destinations: [Destination] = []
    var user: [UInt8] = []
    var password: [UInt8] = []
    var sequence: UInt32 = 1
    var isRetried = false
    /// The credentials that its ACK repeats.
    var credentials: [UInt8] = []
    /// The context of its INVITE.
    var context = SlabIndex.none
    /// Its INVITE had an offer: its 2xx is acknowledged at once.
    var hasOffer = false
    var dialogs: [DialogPair] = []
    /// The session in its ACK and the type of that, for the case that the ACK is lost.
    var acknowledged: (body: [UInt8], type: [UInt8]) = ([], [])
    /// The dialog whose 2xx came first.
    var answered: Int?
    /// That 2xx, until the caller has got it.
    var answer: [UInt8] = []
    var didRing = false
    /// It has failed, was cancelled or hung up.
    var isOver = false
    /// It was told in its record.
    var isRecorded = false

    init(record: RecordNumber, party: Dial.Party, callID: [UInt8], localTag: [UInt8]) {
        self.record = record
        self.party = party
        self.callID = callID
        self.localTag = localTag
    }

    /// The dialog that it talks in.
    var pair: DialogPair? { answered.flatMap { dialogs.indices.contains($0) ? dialogs[$0] : nil } }
}

/// The side that has called, or that the API has called first.
struct CallerSide {
    enum State {
        /// The INVITE has no final answer.
        case waiting
        /// Our 2xx is not acknowledged yet.
        case answering
        /// In a call.
        case confirmed
        /// Refused, cancelled or hung up.
        case over
    }

    var state = State.waiting
    /// The transaction of its INVITE; `.none` for a party of the API.
    var server = SlabIndex.none
    /// The INVITE as received, with received and rport; empty once it is answered.
    var invite: [UInt8] = []
    let callID: [UInt8]
    /// The tag by which its requests are found: its own, or ours where we have called it.
    let lookupTag: [UInt8]
    /// Where it sends from.
    let flow: Flow
    /// The INVITE had an offer.
    var hasOffer = false
    /// The number of its INVITE.
    var sequence: UInt32 = 0
    /// The dialog once it is answered.
    var dialog: Dialog?
    /// The 2xx, repeated until its ACK comes, with the next wait and the time that is left, in milliseconds.
    var answer: [UInt8] = []
    var wait: UInt32 = 0
    var patience: UInt32 = 0
    /// It is hung up as soon as its ACK comes (RFC 3261 15).
    var isHangUpWanted = false
    var hangUpReason: Reason?
}

/// A call that an application or a fixed program decides on: this server is the other end for both sides
/// (a back-to-back user agent, RFC 3261 section 6).
struct ApplicationCall {
    var program: Program
    let facts: CallFacts
    let startedAt: Instant
    /// True when the legs have no records of their own.
    var isFixed = false
    var caller: CallerSide?
    /// The first party of a call of the API, which becomes its caller once it has answered; nil for any other call.
    var party: CallParty?
    var legs: [CallLeg] = []
    /// The leg that the caller talks to.
    var connected: Int?
    /// The leg whose session a caller who was answered before is to get.
    var bringing: SessionBringing?
    var relay = InDialogRelay()
    var session = SessionTimer()
    var timers: [CallTimer: TimerReference] = [:]
    /// The texts that are under way.
    var texts: [UInt32: SentText] = [:]
    /// The client whose text is passed on; nil for none.
    var sender: TextSender?
    var answerTimer = TimerReference.none
    var sessionTimer = TimerReference.none
    /// Requests to applications that were made for it.
    var webhooks: UInt32 = 0
    /// Response contexts that are its.
    var openContexts = 0
    /// What an end of a leg by us is told with.
    var endCause: (status: UInt16, reason: Reason?) = (487, .callCancelled)
    /// The record was told of its end.
    var isRecordEnded = false
    /// What the status callback of a call of the API is told, and how often it was.
    var progress: (address: WebAddress, events: Set<LegState>, told: Int)?

    init(program: CallProgram, facts: CallFacts, now: Now) {
        self.init(.call(program), facts: facts, now: now)
    }

    /// With any program.
    init(_ program: Program, facts: CallFacts, now: Now) {
        self.program = program
        self.facts = facts
        startedAt = now.instant
    }

    /// True when nothing more can come of it or for it.
    var isSpent: Bool {
        guard program.isOver, openContexts == 0, texts.isEmpty else { return false }
        guard let caller else { return true }
        return caller.state == .over
    }
}

/// The calls of a shard.
struct CallTable {
    /// Where a request in a dialog belongs.
    struct Place {
        let call: SlabIndex
        /// nil for the caller's side.
        let leg: Int?
    }

    private var slab = Slab<ApplicationCall>()
    private var byDialog: [HashValue: SlabIndex] = [:]
    private var byRecord: [RecordNumber: SlabIndex] = [:]
    /// What the proxy core has told calls and was not handled yet.
    var inputs: [CallInput] = []

    var count: Int { slab.count }
    /// Calls that have not ended.
    var live: Int { slab.indices.count { slab[$0]?.program.isOver == false } }

    subscript(index: SlabIndex) -> ApplicationCall? {
        get { slab[index] }
        _modify { yield &slab[index] }
    }

    mutating func insert(_ call: ApplicationCall) -> SlabIndex {
        let number = call.facts.number
        let index = slab.insert(call)
        byRecord[number] = index
        return index
    }

    /// Removes a call.
    mutating func remove(_ index: SlabIndex) -> ApplicationCall? {
        guard let call = slab.remove(index) else { return nil }
        byRecord[call.facts.number] = nil
        return call
    }

    func index(of record: RecordNumber) -> SlabIndex? { byRecord[record] }

    /// Makes requests of a dialog find a call: by the Call-ID and one tag, the peer's for a caller, ours for a leg.
    mutating func add(callID: [UInt8], tag: [UInt8], _ index: SlabIndex, _ key: HashKey) {
        byDialog[callID.withSlice { callID in tag.withSlice { CallTable.key(callID, $0, key) } }] = index
    }

    /// Takes that back, unless another call has taken the place since.
    mutating func forget(callID: [UInt8], tag: [UInt8], _ index: SlabIndex, _ key: HashKey) {
        let place = callID.withSlice { callID in tag.withSlice { CallTable.key(callID, $0, key) } }
        if byDialog[place] == index { byDialog[place] = nil }
    }

    /// True for an INVITE of a caller who has a call by the same one already, that came by another way (RFC 3261 8.2.2.2).
    func isMerged(_ request: borrowing SIPMessage, _ server: SIPServer) -> Bool {
        let key = CallTable.key(request.callID, request.fromTag, server.settings.runKey)
        guard let index = byDialog[key], let caller = slab[index]?.caller else { return false }
        return caller.state != .over && caller.sequence == request.sequenceNumber
    }

    /// The call that a request with a To tag belongs to; nil for none, at once when there are no calls.
    func place(of request: borrowing SIPMessage, _ server: SIPServer) -> Place? {
        if byDialog.isEmpty || request.toTag.isEmpty { return nil }
        let key = server.settings.runKey
        if let index = byDialog[CallTable.key(request.callID, request.toTag, key)] {
            let callID = request.callID
            guard let call = slab[index] else { return nil }
            if let leg = call.legs.firstIndex(where: { leg in leg.callID.withSlice { $0 == callID } }) {
                return Place(call: index, leg: leg)
            }
            return Place(call: index, leg: nil)
        }
        return byDialog[CallTable.key(request.callID, request.fromTag, key)].map { Place(call: $0, leg: nil) }
    }

    private static func key(_ callID: ByteSlice, _ tag: ByteSlice, _ key: HashKey) -> HashValue {
        var hash = SipHash(key: key)
        hash.update("dialog")
        hash.update(callID)
        hash.update(byte: 0)
        hash.update(tag)
        return hash.finalize()
    }
}
