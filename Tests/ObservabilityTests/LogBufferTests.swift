import Foundation
import Observability
import Primitives
import Testing

@Suite struct LogBufferTests {
    let time = UnixTime(milliseconds: 1_795_426_867_112)
    let flow = Flow(
        transport: .udp, listener: 0, remote: SocketAddress(address: IPAddress(ipv4: 0xcb00_7107), port: 5060))

    @Test func `A logfmt line is time, level, event and the fields in their order`() {
        var log = LogBuffer(level: .info)
        let began = log.begin(.registrationOK, at: time)
        #expect(began)
        log.field("src", source: flow)
        log.field("user", "alice")
        log.field("expires", number: 600)
        log.field("offset", number: -3)
        log.field("nat", flag: true)
        log.field("ua", "Linphone/5.2 (x)")
        log.end()
        let line = log.bytes.string
        #expect(
            line == "2026-11-23T09:41:07.112Z info  reg.ok          src=udp:203.0.113.7:5060 user=alice expires=600"
                + " offset=-3 nat=yes ua=\"Linphone/5.2 (x)\"\n")
        let lines = log.lines
        #expect(lines == 1)
    }

    @Test func `A style that is adopted holds for the lines after it`() {
        var log = LogBuffer(level: .info)
        let isAccepted = log.begin(.parseBad, at: time)
        #expect(!isAccepted)
        log.adopt(LogStyle(level: .debug, format: .json))
        let isAcceptedNow = log.begin(.parseBad, at: time)
        #expect(isAcceptedNow)
        log.end()
        let line = log.bytes.string
        #expect(line.hasPrefix("{\"time\":"))
    }

    @Test(arguments: [LogFormat.logfmt, .json])
    func `A record is its sid, and what has none leaves nothing`(format: LogFormat) {
        let number = RecordNumber(at: time, counter: 3)
        var log = LogBuffer(level: .info, format: format)
        _ = log.begin(.callStart, at: time)
        log.field("call", number, prefix: "CA")
        log.field("message", RecordNumber(0), prefix: "SM")
        log.end()
        let line = log.bytes.string
        let sid = number.sid(prefix: "CA")
        #expect(line.contains(format == .json ? ",\"call\":\"\(sid)\"}" : " call=\(sid)\n"))
        #expect(!line.contains("message"))
    }

    @Test func `A JSON line is one object with the same keys`() throws {
        var log = LogBuffer(level: .info, format: .json)
        _ = log.begin(.registrationOK, at: time)
        log.field("src", source: flow)
        log.field("user", "a\"b\u{1b}[0m\n")
        log.field("expires", number: 600)
        log.field("nat", flag: false)
        log.reason(.intervalTooBrief)
        log.end()
        let line = log.bytes.string
        #expect(line.hasSuffix("}\n"))
        let object = try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
        #expect(object["time"] as? String == "2026-11-23T09:41:07.112Z")
        #expect(object["level"] as? String == "info")
        #expect(object["event"] as? String == "reg.ok")
        #expect(object["src"] as? String == "udp:203.0.113.7:5060")
        #expect(object["user"] as? String == "a\"b\u{1b}[0m\n")
        #expect(object["expires"] as? Int == 600)
        #expect(object["nat"] as? Bool == false)
        #expect(object["code"] as? String == "R-1203")
        #expect(object["why"] as? String == Reason.intervalTooBrief.cause.string)
        #expect(object["do"] as? String == Reason.intervalTooBrief.remedy.string)
    }

    @Test func `A reason is its code, its cause and its remedy`() {
        var log = LogBuffer(level: .info)
        _ = log.begin(.registrationRefused, at: time)
        log.reason(.starMisused)
        log.end()
        let line = log.bytes.string
        #expect(
            line.contains(
                " code=R-1207 why=\"\(Reason.starMisused.cause.string)\" do=\"\(Reason.starMisused.remedy.string)\"\n"))
    }

    @Test func `An event below the level leaves nothing, its fields neither`() {
        var log = LogBuffer(level: .info)
        let began = log.begin(.parseBad, at: time)
        #expect(!began)
        log.field("user", "alice")
        log.field("n", number: 1)
        log.field("f", flag: true)
        log.field("src", source: flow)
        log.reason(.messageMalformed)
        log.end()
        let count = log.bytes.count
        let lines = log.lines
        #expect(count == 0)
        #expect(lines == 0)
    }

    @Test func `The writer of a line may give it another level`() {
        var log = LogBuffer(level: .warn)
        let quiet = log.begin(.registrationOK, at: time)
        #expect(!quiet)
        let loud = log.begin(.registrationOK, level: .error, at: time)
        #expect(loud)
        log.end()
        let line = log.bytes.string
        #expect(line == "2026-11-23T09:41:07.112Z error reg.ok\n")
        let accepts = (log.accepts(.registrationOK), log.accepts(.registrationOK, level: .warn))
        #expect(accepts == (false, true))
    }

    @Test func `A line that was not ended is ended by the next`() {
        var log = LogBuffer(level: .info)
        _ = log.begin(.serverStart, at: time)
        _ = log.begin(.serverReady, at: time)
        log.end()
        let text = log.bytes.string
        let lines = log.lines
        #expect(text.split(separator: "\n").count == 2)
        #expect(lines == 2)
    }

    @Test func `removeAll empties the buffer and keeps it usable`() {
        var log = LogBuffer(level: .info)
        _ = log.begin(.serverStart, at: time)
        log.removeAll()
        log.field("late", number: 1)
        let isEmpty = log.isEmpty
        #expect(isEmpty)
        _ = log.begin(.serverReady, at: time)
        log.end()
        let lines = log.lines
        #expect(lines == 1)
    }

    @Test func `A foreign text can neither end a line nor add a field`() {
        var log = LogBuffer(level: .info)
        _ = log.begin(.registrationOK, at: time)
        log.field("ua", "x\" user=root\r\n2026-01-01T00:00:00.000Z error store.error")
        log.end()
        let line = log.bytes.string
        #expect(line.filter { $0 == "\n" }.count == 1)
        #expect(line.contains(#" ua="x\" user=root\r\n2026"#))
    }
}
