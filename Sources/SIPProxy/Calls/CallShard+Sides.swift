import Primitives
import SIPMessage

/// Which dialog is on the other side.
extension CallShard {
    /// One end of a call, as a dialog of ours.
    enum End {
        case caller
        /// The caller's view of an early dialog of a leg.
        case early(leg: Int, pair: Int)
        case leg(Int, pair: Int)
    }

    /// The place of the dialog that a request is in; nil when its tags are none of the call's. For a caller who has been
    /// answered it means nothing.
    func dialogPosition(of request: borrowing SIPMessage, _ place: CallTable.Place, _ call: ApplicationCall) -> Int? {
        if let leg = place.leg {
            let dialogs = call.legs[leg].dialogs
            for position in dialogs.indices where dialogs[position].callee.contains(request) { return position }
            return nil
        }
        guard let caller = call.caller else { return nil }
        if let dialog = caller.dialog { return dialog.contains(request) ? 0 : nil }
        return early(of: request, call).map { $0.leg << 8 | $0.pair }
    }

    /// The early dialog of a caller that a request is in.
    private func early(of request: borrowing SIPMessage, _ call: ApplicationCall) -> (leg: Int, pair: Int)? {
        for leg in call.legs.indices {
            let dialogs = call.legs[leg].dialogs
            for pair in dialogs.indices {
                if let dialog = dialogs[pair].caller, dialog.contains(request) { return (leg, pair) }
            }
        }
        return nil
    }

    /// Notes the number of a request; false when it is out of order.
    mutating func acceptSequence(
        _ sequence: UInt32, _ side: CallSide, _ leg: Int?, _ pair: Int, _ index: SlabIndex
    ) -> Bool {
        if side == .callee, let leg {
            return calls[index]?.legs[leg].dialogs[pair].callee.accepts(sequence: sequence) ?? false
        }
        if calls[index]?.caller?.dialog != nil {
            return calls[index]?.caller?.dialog?.accepts(sequence: sequence) ?? false
        }
        return calls[index]?.legs[pair >> 8].dialogs[pair & 255].caller?.accepts(sequence: sequence) ?? false
    }

    /// The end that a request of one side goes to; nil when nobody is there.
    func otherSide(
        of side: CallSide, _ leg: Int?, _ pair: Int, _ call: ApplicationCall, _ isConfirmed: Bool
    ) -> End? {
        if side == .callee {
            guard let leg else { return nil }
            if isConfirmed { return call.connected == leg && call.legs[leg].answered == pair ? .caller : nil }
            return call.legs[leg].dialogs[pair].caller == nil ? nil : .early(leg: leg, pair: pair)
        }
        if isConfirmed {
            guard let leg = call.connected, !call.legs[leg].isOver, let answered = call.legs[leg].answered else {
                return nil
            }
            return .leg(leg, pair: answered)
        }
        return .leg(pair >> 8, pair: pair & 255)
    }

    func dialog(_ end: End, _ call: ApplicationCall?) -> Dialog? {
        guard let call else { return nil }
        switch end {
        case .caller: return call.caller?.dialog
        case .early(let leg, let pair): return call.legs[leg].dialogs[pair].caller
        case .leg(let leg, let pair): return call.legs[leg].dialogs[pair].callee
        }
    }

    mutating func nextSequence(_ end: End, _ index: SlabIndex) -> UInt32? {
        switch end {
        case .caller: calls[index]?.caller?.dialog?.nextSequence() ?? nil
        case .early(let leg, let pair): calls[index]?.legs[leg].dialogs[pair].caller?.nextSequence() ?? nil
        case .leg(let leg, let pair): calls[index]?.legs[leg].dialogs[pair].callee.nextSequence() ?? nil
        }
    }

    /// Takes the Contact of a target refresh of one side.
    mutating func noteTarget(
        _ message: borrowing SIPMessage, _ side: CallSide, _ leg: Int?, _ pair: Int?, _ index: SlabIndex
    ) {
        if side == .caller {
            if calls[index]?.caller?.dialog != nil {
                calls[index]?.caller?.dialog?.refreshTarget(by: message)
            } else if let pair, message.isRequest {
                calls[index]?.legs[pair >> 8].dialogs[pair & 255].caller?.refreshTarget(by: message)
            }
            return
        }
        guard let leg, let place = pair ?? calls[index]?.legs[leg].answered else { return }
        calls[index]?.legs[leg].dialogs[place].callee.refreshTarget(by: message)
    }

    /// The dialog in which one side has sent a request.
    func nearDialog(of side: CallSide, _ request: borrowing SIPMessage, _ call: ApplicationCall) -> Dialog? {
        if side == .caller {
            if let dialog = call.caller?.dialog { return dialog }
            return early(of: request, call).flatMap { call.legs[$0.leg].dialogs[$0.pair].caller }
        }
        for leg in call.legs {
            for pair in leg.dialogs where pair.callee.contains(request) { return pair.callee }
        }
        return nil
    }

    /// The dialog of the other side in an answered call.
    func otherDialog(of side: CallSide, _ call: ApplicationCall) -> Dialog? {
        if side == .callee { return call.caller?.dialog }
        return call.connected.flatMap { call.legs[$0].pair?.callee }
    }
}

extension SIPServer {
    /// The way to the peer of a dialog as it is now: a phone that has registered again may have another connection.
    func flow(of dialog: Dialog, _ now: Now) -> Flow {
        let target = dialog.remoteTarget
        return target.withSlice { target in
            dialog.remote.withSlice { remote in
                currentFlow(of: target, NameAddress(remote)?.uri ?? .empty, from: dialog.flow, now: now)
            }
        }
    }
}
