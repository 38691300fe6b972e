import Primitives
import SIPMessage

/// Loop detection (RFC 3261 16.3 step 4 and 16.6 step 8, as corrected by RFC 5393).
enum LoopDetection {
    /// A keyed hash of all that decides where a request goes: the same request coming back has the same.
    static func hash(of request: borrowing SIPMessage, key: HashKey) -> UInt64 {
        var hash = SipHash(key: key)
        hash.update(request.callID)
        hash.update(byte: 0)
        hash.update(request.requestURI)
        hash.update(byte: 0)
        hash.update(request.fromTag)
        hash.update(byte: 0)
        hash.update(request.toTag)
        hash.update(byte: 0)
        hash.update(request.methodText)
        hash.update(UInt64(request.sequenceNumber))
        return hash.finalize().second
    }

    /// True when a Via below the top one is ours and bears the hash of this very request.
    static func isLoop(_ request: borrowing SIPMessage, server: SIPServer) -> Bool {
        var values = request.values(of: .via)
        _ = values.next(in: request)
        var hash: UInt64?
        while let value = values.next(in: request) {
            guard let via = Via(firstOf: value), via.branch.count == 39, server.isListener(via.host, port: via.port)
            else { continue }
            let own = hash ?? LoopDetection.hash(of: request, key: server.settings.runKey)
            hash = own
            if via.branch[23..<39].hexadecimal() == own { return true }
        }
        return false
    }
}
