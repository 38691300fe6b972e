import Primitives
import SIPAuthentication
import SIPMessage

/// What devices send.
extension Scene {
    /// A new request of a device, without credentials.
    func request(_ method: String, of device: Device, to uri: String) -> Request {
        number += 1
        return Request(
            method: method, device: device, uri: uri, from: "sip:\(device.user)@example.com", fromTag: "f\(number)",
            to: method == "REGISTER" ? "sip:\(device.user)@example.com" : uri, callID: "call-\(number)",
            sequence: number, branch: "z9hG4bK\(number)", contact: "<\(device.contact)>")
    }

    /// Puts credentials on a request: 0 none, 1 right, 2 a wrong password, 3 another login's, 4 a used nonce-count.
    func sign(_ request: inout Request, _ kind: Int) {
        if kind == 0 || nonce.isEmpty { return }
        var login = request.device.user
        if kind == 3 { login = Scene.logins.first { $0 != login } ?? login }
        // A stranger knows no password.
        let isKnown = kind != 2 && !request.device.isStranger
        let count = kind == 4 ? max(1, nonceCounts[login] ?? 1) : (nonceCounts[login] ?? 0) + 1
        nonceCounts[login] = max(count, nonceCounts[login] ?? 0)
        let hexadecimal = String(count, radix: 16)
        let start =
            "Digest username=\"\(login)\", realm=\"example.com\", nonce=\"\(nonce)\", uri=\"\(request.uri)\", "
            + "algorithm=MD5, qop=auth, cnonce=\"c\(number)\", nc="
            + String(repeating: "0", count: 8 - min(8, hexadecimal.utf8.count)) + hexadecimal
        let password = isKnown ? passwords[login] ?? 0 : 2
        let response = (start + ", response=\"" + String(repeating: "0", count: 32) + "\"").withSlice { text in
            guard let credentials = try? DigestCredentials(text) else { return "" }
            let digest = request.method.withSlice {
                DigestVerification.expectedResponse(
                    to: credentials, password: Scene.digest(of: login, password), method: $0, body: .empty)
            }
            return digest?.hexadecimal.withSlice { $0.string } ?? ""
        }
        if isKnown { watcher.know(credentials: response) }
        let name = request.method == "REGISTER" ? "Authorization" : "Proxy-Authorization"
        request.credentials = "\(name): \(start), response=\"\(response)\"\r\n"
    }

    /// Sends a request, and remembers it.
    func send(_ request: Request) {
        requests.append(request)
        if requests.count > 40 { requests.removeFirst(10) }
        deliver(request.bytes, from: request.device.flow)
    }

    /// Registers a device.
    func register(_ device: Device, credentials: Int, contact: Int = 0, expires: Int = 0) {
        var request = request("REGISTER", of: device, to: "sip:example.com")
        request.callID = "register-\(device.host)"
        let user = device.user
        switch contact % 12 {
        case 1: request.contact = "<\(device.contact)>;q=0.5, <sip:\(user)@198.51.100.99:5099>;q=0.5"
        case 2: request.contact = "*"
        case 3: request.contact = "<sip:\(user)@198.51.100.77:5077;transport=tcp>"
        case 4: request.contact = "<sip:\(user)@phone.example;transport=tcp>;q=0.1"
        case 5: request.headers = "Path: <sip:edge.example;lr>\r\nSupported: path\r\n"
        case 6: request.headers = "Path: <sip:203.0.113.77:5062;lr>\r\nSupported: path\r\n"
        case 7: request.contact = ""
        case 8:
            let flow = device.flow.transport == .tcp ? 1 : 2 + device.flow.listener
            request.contact = "<\(device.contact)>;+sip.instance=\"<urn:uuid:\(user)>\";reg-id=\(flow)"
            request.headers = "Supported: outbound, path\r\n"
        case 9: request.contact = "<sips:\(user)@\(device.host)>"
        case 10: request.contact = "<\(device.contact)>;expires=0"
        case 11: request.contact = "<tel:+1>, <sip:\(user)@[2001:db8::77]:5063>;q=0.7"
        default: break
        }
        switch expires % 6 {
        case 1: request.headers += "Expires: 0\r\n"
        case 2: request.headers += "Expires: 60\r\n"
        case 3: request.headers += "Expires: 4294967295\r\n"
        case 4: request.headers += "Expires: 1\r\n"
        case 5: request.headers += "Require: gruu\r\n"
        default: break
        }
        sign(&request, credentials)
        send(request)
    }

    /// Sends a new request to somebody.
    func begin(_ reader: inout ByteReader) {
        let methods = [
            "INVITE", "INVITE", "INVITE", "INVITE", "MESSAGE", "OPTIONS", "SUBSCRIBE", "BYE", "ACK", "REFER", "FOO",
            "CANCEL",
        ]
        let callees = [
            "sip:bob@example.com", "sip:bob@example.com", "sip:carol@example.com", "sip:alice@example.com",
            "sip:nobody@example.com", "tel:+1202", "sip:example.com", "sip:bob@elsewhere.example",
            "sips:bob@example.com", "sip:bob@198.51.100.2:5060",
        ]
        var request = request(
            methods[reader.below(methods.count)], of: devices[reader.below(devices.count)],
            to: callees[reader.below(callees.count)])
        let choices = reader.byte()
        // Mostly with the right credentials.
        let credentials = Int(choices & 7)
        switch choices >> 3 {
        case 1: request.headers = "Max-Breadth: 1\r\n"
        case 2: request.headers = "Max-Breadth: 0\r\n"
        case 3: request.branch = "old\(number)"
        case 4: request.hasResponsePort = false
        case 5: request.body = "hello"
        case 6: request.headers = "Content-Type: text/plain\r\n"
        case 7: request.headers = "Route: <sip:192.0.2.1;lr>\r\n"
        case 8: request.headers = "Route: <sip:203.0.113.66;lr>\r\n"
        case 9: request.toTag = "t1"
        case 10: request.from = "sip:bob@example.com"
        case 11: request.headers = "Proxy-Require: foo\r\n"
        case 12: request.headers = "Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK0\r\n"
        case 13: if let old = requests.last { request.callID = old.callID }
        case 14: if let old = requests.last { request.branch = old.branch }
        case 15: request.headers = "Route: " + (lastRoute ?? "<sip:x;lr>") + "\r\n"
        default: break
        }
        sign(&request, credentials > 4 ? 1 : credentials)
        send(request)
    }

    /// The last Record-Route of the server that was seen: of another dialog, mostly.
    private var lastRoute: String? {
        responses.last?.bytes.withSlice { bytes in
            var parsed = SIPMessage()
            _ = parsed.parse(bytes)
            return parsed.value(of: .recordRoute)?.string
        } ?? nil
    }

    /// Cancels an INVITE.
    func cancel(_ reader: inout ByteReader) {
        guard let old = pick(requests, &reader) else { return }
        deliver(old.hopByHop("CANCEL", toTag: "").bytes, from: source(old.device.flow, &reader))
    }

    /// Acknowledges a final response hop by hop.
    func acknowledge(_ reader: inout ByteReader) {
        guard let response = pick(responses, &reader) else { return }
        let (callID, tag) = response.bytes.withSlice { bytes in
            var parsed = SIPMessage()
            _ = parsed.parse(bytes)
            return (parsed.callID.string, parsed.toTag.string)
        }
        guard let old = requests.last(where: { $0.callID == callID }) else { return }
        deliver(old.hopByHop("ACK", toTag: tag).bytes, from: old.device.flow)
    }

    /// Sends a request within a dialog, from either side, or from a stranger who has seen it.
    func continueDialog(_ reader: inout ByteReader) {
        guard let (response, invite) = pick(dialogs, &reader) else { return }
        let choices = reader.byte()
        var request = request(
            ["ACK", "BYE", "INVITE", "INFO", "MESSAGE", "UPDATE"][Int(choices & 7) % 6], of: invite.device,
            to: invite.uri)
        request.callID = choices & 128 == 0 ? invite.callID : request.callID
        response.bytes.withSlice { bytes in
            var parsed = SIPMessage()
            _ = parsed.parse(bytes)
            var routes: [String] = []
            var values = parsed.values(of: .recordRoute)
            while let value = values.next(in: parsed) { routes.append(value.string) }
            var remote = invite.uri
            if let contact = parsed.value(of: .contact), let address = NameAddress(contact) {
                remote = address.uri.string
            }
            if choices & 8 == 0 {
                request.fromTag = invite.fromTag
                request.toTag = parsed.toTag.string
                request.uri = remote
                routes.reverse()
            } else {
                request.device = devices[1 + reader.below(5)]
                request.from = invite.to
                request.to = invite.from
                request.fromTag = parsed.toTag.string
                request.toTag = invite.fromTag
                request.uri = invite.device.contact
            }
            // A strict router before us has put our route into the Request-URI.
            if choices & 32 != 0, let first = routes.first, let uri = first.withSlice({ NameAddress($0)?.uri.string }) {
                routes = Array(routes.dropFirst()) + ["<\(request.uri)>"]
                request.uri = uri
            }
            request.headers = routes.map { "Route: \($0)\r\n" }.joined()
        }
        if choices & 16 != 0 { request.device = devices[8 + reader.below(2)] }
        if choices & 64 != 0 { sign(&request, 1) }
        send(request)
    }

    /// Sends something again, as it was.
    func repeatRequest(_ reader: inout ByteReader) {
        guard let old = pick(requests, &reader) else { return }
        deliver(old.bytes, from: source(old.device.flow, &reader))
    }

    /// Where something comes from: from where it should, or one time in four from somewhere else.
    func source(_ flow: Flow, _ reader: inout ByteReader) -> Flow {
        let choice = reader.byte()
        return choice & 3 == 0 ? devices[Int(choice >> 2) % devices.count].flow : flow
    }

    /// One of several, mostly a late one.
    func pick<Element>(_ elements: [Element], _ reader: inout ByteReader) -> Element? {
        if elements.isEmpty { return nil }
        return elements[elements.count - 1 - reader.below(elements.count)]
    }
}
