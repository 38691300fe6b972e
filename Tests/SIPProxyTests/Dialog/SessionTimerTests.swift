import Primitives
import Testing

@testable import SIPProxy

@Suite("Session timer (RFC 4028)")
struct SessionTimerTests {
    private let start = Instant(milliseconds: 1_000_000)

    private func timer(_ headers: [String], method: String = "INVITE", status: Int = 200) -> SessionTimer {
        var timer = SessionTimer()
        timer.refresh(by: ParsedMessage.answer(status, headers, method: method).message, at: start)
        return timer
    }

    @Test("A session without an interval never ends")
    func none() {
        #expect(timer([]).deadline == nil)
        #expect(timer(["Session-Expires: soon"]).deadline == nil)
        #expect(timer(["Session-Expires: 1800"], status: 422).deadline == nil)
        #expect(timer(["Session-Expires: 1800"], method: "INFO").deadline == nil)
    }

    @Test("It ends the smaller of 32 seconds and a third before the interval does (section 10)")
    func deadline() {
        #expect(timer(["Session-Expires: 1800;refresher=uas"]).deadline == start.advanced(byMilliseconds: 1_768_000))
        let short = timer(["x: 90"])
        #expect(short.deadline == start.advanced(byMilliseconds: 60_000))
        #expect(!short.isExpired(at: start.advanced(byMilliseconds: 59_999)))
        #expect(short.isExpired(at: start.advanced(byMilliseconds: 60_000)))
    }

    @Test("An interval that is too short counts as the shortest (section 4)")
    func shortest() {
        #expect(timer(["Session-Expires: 1"]).interval == 90)
        #expect(timer(["Session-Expires: 0"]).interval == 90)
        #expect(timer(["Session-Expires: 99999999999999999999"]).interval == UInt32.max)
    }

    @Test("Each 2xx of a re-INVITE or UPDATE begins the interval anew, and one without it ends the watch")
    func refresh() {
        var timer = timer(["Session-Expires: 90"])
        let later = start.advanced(byMilliseconds: 45_000)
        timer.refresh(by: ParsedMessage.answer(200, ["Session-Expires: 120"], method: "UPDATE").message, at: later)
        #expect(timer.deadline == later.advanced(byMilliseconds: 88_000))
        timer.refresh(by: ParsedMessage.answer(491, method: "UPDATE").message, at: later)
        #expect(timer.interval == 120)
        timer.refresh(by: ParsedMessage.answer(200).message, at: later)
        #expect(timer.deadline == nil)
    }
}
