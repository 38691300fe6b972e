import Primitives
import SIPAuthentication

/// A request as a device sends it.
struct Request {
    var method: String
    var device: Device
    var requestURI: String
    var fromUser: String
    var fromTag = "from1"
    var toURI: String
    var toTag: String?
    var callID = "call-1"
    var sequence = 1
    var branch: String
    /// The parameters of Via behind the branch.
    var viaParameters = ";rport"
    /// Via lines below the device's own.
    var lowerVias: [String] = []
    var maxForwards: String? = "70"
    var headers: [String] = []
    var body = ""
    var contentLength: String?
    var hasContentLength = true

    init(method: String, from device: Device, to callee: String, branch: String? = nil) {
        self.method = method
        self.device = device
        requestURI = callee.contains(":") ? callee : "sip:\(callee)@example.com"
        toURI = callee.contains(":") ? callee : "sip:\(callee)@example.com"
        fromUser = device.user
        self.branch = branch ?? "z9hG4bK-\(method)-1"
    }

    var via: String {
        "SIP/2.0/\(device.flow.transport == .tcp ? "TCP" : "UDP") \(device.host);branch=\(branch)\(viaParameters)"
    }

    var text: String {
        var lines = ["\(method) \(requestURI) SIP/2.0", "Via: \(via)"]
        lines += lowerVias.map { "Via: \($0)" }
        if let maxForwards { lines.append("Max-Forwards: \(maxForwards)") }
        lines += [
            "From: <sip:\(fromUser)@example.com>;tag=\(fromTag)",
            "To: <\(toURI)>\(toTag.map { ";tag=\($0)" } ?? "")",
            "Call-ID: \(callID)",
            "CSeq: \(sequence) \(method)",
            "Contact: <\(device.contact)>",
        ]
        lines += headers
        if hasContentLength { lines.append("Content-Length: \(contentLength ?? String(body.utf8.count))") }
        return lines.joined(separator: "\r\n") + "\r\n\r\n" + body
    }

    /// The same request, changed.
    func with(_ change: (inout Request) -> Void) -> Request {
        var request = self
        change(&request)
        return request
    }

    /// The same request with credentials for a nonce.
    func signed(
        nonce: String, count: Int = 1, login: String? = nil, password: String = "secret",
        header: String = "Proxy-Authorization"
    ) -> Request {
        let login = login ?? device.user
        let digits = String(count, radix: 16)
        let start =
            "Digest username=\"\(login)\", realm=\"example.com\", nonce=\"\(nonce)\", uri=\"\(requestURI)\""
            + ", algorithm=MD5, qop=auth, cnonce=\"c\", nc=" + String(repeating: "0", count: 8 - digits.count) + digits
        let zeros = String(repeating: "0", count: 32)
        let response = (start + ", response=\"\(zeros)\"").withSlice { value in
            guard let credentials = try? DigestCredentials(value) else { return zeros }
            let digest = login.withSlice { login in
                password.withSlice { PasswordDigest(login: login, realm: "example.com", password: $0) }
            }
            return method.withSlice { method in
                DigestVerification.expectedResponse(
                    to: credentials, password: digest, method: method, body: .empty)?.hexadecimal.withSlice {
                        $0.string
                    } ?? zeros
            }
        }
        return with { $0.headers.append("\(header): \(start), response=\"\(response)\"") }
    }

    /// The ACK for a final response other than 2xx: hop by hop (17.1.1.3).
    func acknowledgement(of response: Sent) -> Request {
        with {
            $0.method = "ACK"
            $0.toTag = response.toTag
            $0.headers = $0.headers.filter { $0.hasPrefix("Route:") }
            $0.body = ""
        }
    }

    /// The CANCEL of this INVITE (9.1).
    var cancel: Request {
        with {
            $0.method = "CANCEL"
            $0.headers = $0.headers.filter { $0.hasPrefix("Route:") }
            $0.body = ""
        }
    }
}
