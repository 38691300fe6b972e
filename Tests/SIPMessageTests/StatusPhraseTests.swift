import Primitives
import SIPMessage
import Testing

@Suite("StatusPhrase")
struct StatusPhraseTests {
    @Test(
        "A status has the phrase of RFC 3261 section 21",
        arguments: [
            (100, "Trying"), (180, "Ringing"), (200, "OK"), (401, "Unauthorized"), (404, "Not Found"),
            (407, "Proxy Authentication Required"), (416, "Unsupported URI Scheme"), (423, "Interval Too Brief"),
            (481, "Call/Transaction Does Not Exist"), (483, "Too Many Hops"), (487, "Request Terminated"),
            (503, "Service Unavailable"), (504, "Server Time-out"), (505, "Version Not Supported"),
        ])
    func known(status: Int, phrase: String) { #expect(StatusPhrase.phrase(of: UInt16(status)).string == phrase) }

    @Test("Every status has a phrase, an unknown one that of its class (8.1.3.2)")
    func all() {
        for status in UInt16(0)...UInt16.max { #expect(!StatusPhrase.phrase(of: status).isEmpty) }
        #expect(StatusPhrase.phrase(of: 499) == "Bad Request")
        #expect(StatusPhrase.phrase(of: 599) == "Server Internal Error")
        #expect(StatusPhrase.phrase(of: 699) == "Decline")
    }
}
