import CallControl
import Observability
import Primitives
import SIPMessage

extension CallShard {
    mutating func send(
        _ text: CallText, of: CallReference, accountID: Int64, direction: TextRecord.Direction, server: SIPServer,
        now: Now, effects: inout Effects
    ) {}
}
