import CallControl
import Observability
import Primitives
import SIPMessage

extension CallShard {
    mutating func bringSession(of leg: Int, _ index: SlabIndex, server: SIPServer, now: Now, effects: inout Effects) {}
    mutating func sessionAnswers(
        _ r: borrowing SIPMessage, _ index: SlabIndex, _ leg: Int, server: SIPServer, now: Now, effects: inout Effects
    ) {}
    mutating func sessionFails(_ index: SlabIndex, _ leg: Int, server: SIPServer, now: Now, effects: inout Effects) {}
    mutating func partyAnswers(
        _ r: borrowing SIPMessage, _ flow: Flow, _ index: SlabIndex, server: SIPServer, now: Now, effects: inout Effects
    ) {}
    mutating func partyFails(
        _ index: SlabIndex, _ s: UInt16, _ r: Reason, _ a: [UInt8], server: SIPServer, now: Now, effects: inout Effects
    ) {}
}
