import CallControl
import Glibc
import Primitives
import SIPAuthentication

/// One request to an application on its way, with all of its redirects.
final class WebExchange {
    /// Why an exchange ended.
    enum End {
        case answered(HTTPAnswer)
        case failed(WebhookFailure)
    }

    let id: UInt64
    let request: WebhookRequest
    let isCallback: Bool
    let completion: @Sendable (WebhookReport) -> Void
    let begunAt: UInt64
    let deadline: UInt64
    /// Where it goes now.
    var url: WebURL
    var method: WebAddress.Method
    /// The parameters as a form.
    let form: String
    var redirectsLeft: Int
    /// Counts hops and tries, so that late news of an earlier one is known as such.
    var generation: UInt64 = 0
    /// The application that its turn counts for.
    var origin = ""
    /// Where it is asked now.
    var placeAddress: IPAddress?
    /// Places that are still to be tried.
    var places: [IPAddress] = []
    /// True once a connection that was kept has failed: the next try gets a new one.
    var needsNewConnection = false
    var connection: WebConnection?
    var secure: (any SecureTask)?
    var status: Int?

    init(
        id: UInt64, _ request: WebhookRequest, _ url: WebURL, isCallback: Bool, redirects: Int, now: UInt64,
        deadline: UInt64, completion: @escaping @Sendable (WebhookReport) -> Void
    ) {
        self.id = id
        self.request = request
        self.isCallback = isCallback
        self.completion = completion
        self.url = url
        method = request.address.method
        form = FormText.encoded(request.parameters)
        redirectsLeft = redirects
        begunAt = now
        self.deadline = deadline
        if method == .get { self.url = url.adding(query: form) }
    }

    /// The body of the request of now.
    var body: [UInt8] { method == .post ? Array(form.utf8) : [] }

    /// The fields of the request of now, but those of the connection.
    func fields(userAgent: String, unixSeconds: Int64) -> [(name: String, value: String)] {
        var fields: [(name: String, value: String)] = [
            ("User-Agent", userAgent), ("Accept", "text/xml, application/xml;q=0.9, */*;q=0.5"),
            ("Accept-Encoding", "identity"),
        ]
        if method == .post { fields.append(("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")) }
        if let credentials = url.credentials {
            fields.append(("Authorization", "Basic " + FormText.base64(Array(credentials.utf8))))
        }
        if !request.secret.isEmpty {
            fields.append(
                (
                    "X-Rollcall-Signature",
                    WebhookSignature.field(secret: request.secret, unixSeconds: unixSeconds, url: url.text, body: body)
                ))
        }
        return fields
    }

    /// Goes on with the address in a redirect.
    func redirect(to next: WebURL, status: Int) {
        url = next
        // RFC 9110 section 15.4.4: behind a 303 another resource is read; it is about the same call.
        if status == 303 { method = .get }
        if method == .get, !form.isEmpty, !next.target.contains(form) { url = next.adding(query: form) }
        redirectsLeft -= 1
        generation += 1
        places = []
        needsNewConnection = false
    }
}

/// The signature of a request, by which an application knows that it is ours.
public enum WebhookSignature {
    /// The value of `X-Rollcall-Signature`: `t=` the time, `v1=` HMAC-SHA-256 under the AuthToken of time, `.`, URL, `.`
    /// and body, in lower-case hexadecimal digits.
    public static func field(secret: String, unixSeconds: Int64, url: String, body: [UInt8]) -> String {
        var code = secret.withSlice { HMAC<SHA256>(key: $0) }
        "\(unixSeconds).\(url).".withSlice { code.update($0) }
        body.withSlice { code.update($0) }
        let digest = code.finalize()
        let text = digest.hexadecimal.withSlice { $0.string }
        return "t=\(unixSeconds),v1=\(text)"
    }
}

/// Texts of requests.
enum FormText {
    /// Parameters as `application/x-www-form-urlencoded` in UTF-8.
    static func encoded(_ parameters: [WebhookRequest.Parameter]) -> String {
        var bytes: [UInt8] = []
        for parameter in parameters {
            if !bytes.isEmpty { bytes.append(UInt8(ascii: "&")) }
            append(parameter.name, to: &bytes)
            bytes.append(UInt8(ascii: "="))
            append(parameter.value, to: &bytes)
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func append(_ text: String, to bytes: inout [UInt8]) {
        let digits = Array("0123456789ABCDEF".utf8)
        for byte in text.utf8 {
            switch byte {
            case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, 0x2d, 0x2e, 0x5f, 0x2a: bytes.append(byte)
            case 0x20: bytes.append(UInt8(ascii: "+"))
            default: bytes += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
    }

    /// Bytes in Base64 (RFC 4648).
    static func base64(_ bytes: [UInt8]) -> String {
        let letters = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
        var text: [UInt8] = []
        var index = 0
        while index < bytes.count {
            let count = min(3, bytes.count - index)
            var group = UInt32(bytes[index]) << 16
            if count > 1 { group |= UInt32(bytes[index + 1]) << 8 }
            if count > 2 { group |= UInt32(bytes[index + 2]) }
            for place in 0..<4 {
                text.append(
                    place <= count ? letters[Int(group >> UInt32(18 - 6 * place) & 63)] : UInt8(ascii: "="))
            }
            index += 3
        }
        return String(decoding: text, as: UTF8.self)
    }
}
