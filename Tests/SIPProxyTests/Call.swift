import Testing

/// A call in progress: the INVITE as its caller sent it, and as each callee's device got it.
struct Call {
    let network: TestNetwork
    let invite: Request
    let forwarded: [Sent]

    /// A call from a device to a user.
    init(
        _ network: TestNetwork, from caller: Device = .alice, to callee: String = "bob",
        _ change: (inout Request) -> Void = { _ in }
    ) {
        self.network = network
        let request = network.signed(
            caller.request("INVITE", to: callee).with {
                $0.body = "v=0\r\n"
                change(&$0)
            })
        invite = request
        let sent = network.send(request)
        #expect(sent.first?.status == 100, "\(sent.map(\.text))")
        forwarded = sent.requests("INVITE")
    }

    /// The INVITE as the only, or first, device got it.
    var first: Sent? { forwarded.first }

    /// The INVITE as this device got it.
    func at(_ device: Device) -> Sent? { forwarded.first { $0.flow == device.flow } }

    /// A request of the caller within the dialog that a 2xx made, along its route set (12.2.1.1).
    func fromCaller(_ method: String, sequence: Int = 2, after response: Sent?) -> Request {
        let request = invite
        return invite.with {
            $0.method = method
            $0.sequence = method == "ACK" ? request.sequence : sequence
            $0.branch = "z9hG4bK-\(method)-\(sequence)"
            $0.requestURI = "sip:callee@10.1.1.1:5060"
            $0.toTag = response?.toTag
            $0.body = ""
            $0.headers = (response?.values("Record-Route") ?? []).reversed().map { "Route: \($0)" }
        }
    }

    /// A request of the callee within the dialog (12.2.1.1), from the device that got `invite`.
    func fromCallee(_ method: String, _ device: Device, after invite: Sent?, tag: String = "to1") -> Request {
        device.request(method, to: "sip:caller@10.2.2.2:5060", branch: "z9hG4bK-callee-\(method)").with {
            $0.fromTag = tag
            $0.toTag = "from1"
            $0.callID = self.invite.callID
            $0.headers = (invite?.values("Record-Route") ?? []).map { "Route: \($0)" }
        }
    }
}
