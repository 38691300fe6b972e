import Primitives
import SIPMessage
import SIPRegistrar

/// Several flows of one device (RFC 5626): one is tried at a time, the next when that has failed.
extension CallShard {
    /// Remembers which device a branch is for, where that has other flows.
    mutating func noteInstance(of target: Destination, _ branch: Int, _ context: SlabIndex) {
        guard contexts[context]?.otherFlows.isEmpty == false, case .binding(let binding) = target else { return }
        contexts[context]?.branches[branch].instance = binding.instanceMark
    }

    /// Tries the next flows of the devices whose flows have failed (RFC 5626 section 5.3: 430, or no answer).
    mutating func tryOtherFlows(_ context: SlabIndex, server: SIPServer, now: Now, effects: inout Effects) {
        while let state = contexts[context], !state.otherFlows.isEmpty, !state.isFinal, !state.isCancelled,
            !state.request.isEmpty
        {
            let pair = state.branches.indices.lazy.compactMap { branch -> (branch: Int, flow: Int)? in
                guard state.branches[branch].isFlowFailed, state.branches[branch].instance != 0 else { return nil }
                let mark = state.branches[branch].instance
                return state.otherFlows.firstIndex { $0.instanceMark == mark }.map { (branch, $0) }
            }.first
            guard let pair else { return }
            contexts[context]?.branches[pair.branch].isFlowFailed = false
            // The request stays: its answer is written from it, and there may be a third flow.
            guard let binding = contexts[context]?.otherFlows.remove(at: pair.flow) else { return }
            let mark = binding.instanceMark
            var request = SIPMessage()
            state.request.withSlice { bytes in
                _ = request.parse(bytes)
                forward(
                    request, to: .binding(binding), context: context, source: state.source, plan: state.plan,
                    server: server, now: now, effects: &effects)
            }
            if let last = contexts[context]?.branches.indices.last {
                contexts[context]?.branches[last].instance = mark
            }
            if state.method == .invite { startTimerC(context, server.settings.timerC, now) }
        }
    }
}

extension Binding {
    /// A mark of the device behind a flow of RFC 5626; 0 for a binding that is no such flow.
    var instanceMark: UInt64 {
        if registrationID == 0 { return 0 }
        return withText { text in
            var hash = SipHash(key: HashKey(0x696e_7374, 0x616e_6365))
            hash.update(text.instance)
            return hash.finalize().first | 1
        }
    }
}

extension [Target] {
    /// Takes out all flows of a device but the first, which is the best: they are not to ring together (RFC 5626 section 5.3).
    mutating func takeOtherFlows() -> [Binding] {
        guard count > 1, contains(where: { $0.binding.registrationID > 0 }) else { return [] }
        var others: [Binding] = []
        var marks: Set<UInt64> = []
        removeAll { target in
            let mark = target.binding.instanceMark
            if mark == 0 || marks.insert(mark).inserted { return false }
            others.append(target.binding)
            return true
        }
        return others
    }
}
