import CallControl
import Configuration

/// `rollcall rcml check FILE`: what the server would make of a document, without a server.
enum RCMLCommand {
    /// Where a document is taken to be when nobody says; never shown.
    private static let nowhere = "http://document.invalid"

    /// Prints the verbs to standard output, and what is wrong to standard error as compilers do.
    ///
    /// - Returns: `success` when nothing is wrong, `failure` for any fault or remark.
    static func check(_ file: String, url: String?) throws -> ExitCode {
        let bytes = try InputText.bytes(of: file)
        let document: RCMLDocument
        do throws(WebhookFailure) {
            document = try RCMLDocument(parsing: bytes, contentType: "text/xml", url: url ?? nowhere + "/")
        } catch {
            complain(error.notification, file)
            return .failure
        }
        for verb in document.verbs {
            if let line = describe(verb) { Terminal.print(line) }
        }
        let skipped = document.verbs.compactMap { if case .unsupported(let note) = $0 { note } else { nil } }
        let found = (document.remarks + skipped).sorted { ($0.line, $0.column) < ($1.line, $1.column) }
        for remark in found { complain(remark, file) }
        return found.isEmpty ? .success : .failure
    }

    private static func complain(_ note: CallNotification, _ file: String) {
        let level = note.level == .error ? "error" : "warning"
        Terminal.complain("\(file):\(max(note.line, 1)):\(max(note.column, 1)): \(level): \(note.message)")
    }

    /// A verb in one line; nil for one that is skipped.
    static func describe(_ verb: Verb) -> String? {
        switch verb {
        case .dial(let dial): return describe(dial)
        case .redirect(let address): return "Redirect " + describe(address)
        case .reject(let isBusy): return isBusy ? "Reject as busy (486)" : "Reject (603)"
        case .hangUp: return "Hangup"
        case .pause(let seconds): return "Pause \(seconds) s"
        case .sms(let sms):
            return "Sms from \(shown(sms.from ?? "what was called")) to \(shown(sms.to ?? "the caller")): "
                + "\(sms.body.utf8.count) bytes" + describe("action", sms.action)
                + describe("statusCallback", sms.statusCallback)
        case .unsupported: return nil
        }
    }

    private static func describe(_ dial: Dial) -> String {
        let parties = dial.parties.map { party in
            let kind =
                switch party.kind {
                case .client: "client "
                case .number: "number "
                case .sip: ""
                }
            let headers = party.headers.map { ", \($0.name): \($0.value)" }.joined()
            let events = LegState.allCases.filter(party.statusEvents.contains).map(\.rawValue).joined(separator: " ")
            return kind + shown(party.name) + headers + describe("url", party.screening)
                + (party.statusCallback == nil
                    ? "" : describe("statusCallback", party.statusCallback) + " for " + events)
        }
        return "Dial " + (parties.isEmpty ? "nobody" : parties.joined(separator: " and "))
            + "; ringing \(dial.timeout) s, talk \(dial.timeLimit) s"
            + (dial.callerID.map { ", caller \(shown($0))" } ?? "") + describe("action", dial.action)
    }

    private static func describe(_ name: String, _ address: WebAddress?) -> String {
        address.map { ", \(name) " + describe($0) } ?? ""
    }

    private static func describe(_ address: WebAddress) -> String {
        let url = address.url.hasPrefix(nowhere) ? String(address.url.dropFirst(nowhere.count)) : address.url
        return address.method.rawValue + " " + shown(url)
    }

    /// A document is not trusted to write to a terminal.
    private static func shown(_ text: String) -> String {
        String(text.unicodeScalars.map { $0.value < 0x20 || (0x7F...0x9F).contains($0.value) ? "?" : Character($0) })
    }
}
