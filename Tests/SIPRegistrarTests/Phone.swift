import Primitives
import SIPAuthentication

/// What a softphone sends: a REGISTER (or another request) with credentials computed as RFC 7616 says.
struct Phone {
    var login = "alice"
    var password = "secret"
    var method = "REGISTER"
    var requestURI = "sip:example.com"
    var from: String?
    var to: String?
    var callID = "call-1@phone"
    var cseq = 1
    var contacts = ["<sip:alice@10.0.0.5:5062>"]
    var expires: String? = "600"
    var headers: [String] = []
    var realm = "example.com"
    var algorithm = "MD5"
    var qop = true
    var nonceCount = 1
    var digestURI: String?

    private func text(_ credentials: [String]) -> String {
        var lines = [
            "\(method) \(requestURI) SIP/2.0",
            "Via: SIP/2.0/UDP 10.0.0.5:5062;branch=z9hG4bK1;rport",
            "From: <\(from ?? "sip:\(login)@example.com")>;tag=f",
            "To: <\(to ?? "sip:\(login)@example.com")>",
            "Call-ID: \(callID)",
            "CSeq: \(cseq) \(method)",
        ]
        lines += contacts.map { "Contact: \($0)" }
        if let expires { lines.append("Expires: \(expires)") }
        lines += headers + credentials + ["Content-Length: 0", "", ""]
        return lines.joined(separator: "\r\n")
    }

    /// The request without credentials.
    var request: String { text([]) }

    /// The value of Authorization for this nonce.
    func credentials(nonce: String) -> String {
        let count = String(nonceCount, radix: 16)
        let start =
            "Digest username=\"\(login)\", realm=\"\(realm)\", nonce=\"\(nonce)\", uri=\"\(digestURI ?? requestURI)\""
            + ", algorithm=\(algorithm)"
            + (qop
                ? ", qop=auth, cnonce=\"c\", nc=" + String(repeating: "0", count: 8 - count.count) + count : "")
        let digits = String(repeating: "0", count: algorithm == "MD5" ? 32 : 64)
        let response = (start + ", response=\"\(digits)\"").withSlice { value in
            guard let credentials = try? DigestCredentials(value) else { return "" }
            let digest = login.withSlice { login in
                realm.withSlice { realm in
                    password.withSlice { PasswordDigest(login: login, realm: realm, password: $0) }
                }
            }
            return method.withSlice { method in
                DigestVerification.expectedResponse(
                    to: credentials, password: digest, method: method, body: .empty)?.hexadecimal.withSlice {
                        $0.string
                    } ?? digits
            }
        }
        return start + ", response=\"\(response)\""
    }

    /// The request with credentials for this nonce, and other headers before them.
    func signed(nonce: String, header: String = "Authorization", before: [String] = []) -> String {
        text(before + ["\(header): \(credentials(nonce: nonce))"])
    }

    /// The same phone, changed.
    func with(_ change: (inout Phone) -> Void) -> Phone {
        var phone = self
        change(&phone)
        return phone
    }

    /// The same phone's next request.
    var next: Phone { with { $0.cseq += 1 } }
}
