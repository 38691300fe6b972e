import Primitives
import SIPMessage
import Testing

@Suite("RetryAfter")
struct RetryAfterTests {
    @Test(
        "The value is seconds, a comment and a duration, of which the latter two may be absent (20.33)",
        arguments: [
            ("18000;duration=3600", 18000, nil, 3600), ("120 (I'm in a meeting)", 120, "I'm in a meeting", nil),
            ("0", 0, nil, nil), ("5(a(;duration=1)\\))\r\n ; Duration = 2 ;x", 5, "a(;duration=1)\\)", 2),
            ("99999999999;duration=99999999999", .max, nil, .max), ("1;x=\"duration=2\"", 1, nil, nil),
            ("1\r\n\t()", 1, "", nil),
        ] as [(String, UInt32, String?, UInt32?)])
    func values(text: String, delay: UInt32, comment: String?, duration: UInt32?) {
        text.withSlice {
            let value = RetryAfter($0)
            #expect(value?.delay.seconds == delay)
            #expect(value?.comment?.string == comment)
            #expect(value?.duration?.seconds == duration)
        }
    }

    @Test(
        "Anything else is malformed, and so are two durations",
        arguments: [
            "", "(a)", ";duration=1", "-1", "1.5", "1 2", "1s", "1,2", "1 (a", "1 (a))", "1 a)", "1 (a) b", "1 (a) (b)",
            "1;", "1;duration", "1;duration=", "1;duration=x", "1;duration=-1", "1;duration=1;duration=1",
            "1;duration=1 (a)", "1 (\\", "1\u{0}", "Thu, 01 Dec 1994 16:00:00 GMT",
        ])
    func malformed(text: String) {
        let isRetryAfter = text.withSlice { RetryAfter($0) != nil }
        #expect(!isRetryAfter)
    }

    @Test("Other parameters are kept")
    func parameters() {
        #expect(RetryAfter("1;a=b")?.parameters["A"] == "b")
    }

    @Test("Retry-After is read from the message")
    func accessor() {
        #expect(Parsed(options(adding: "RETRY-AFTER:\n 30 (a, b)\n")).retryAfterComment == "a, b")
        #expect(!Parsed(options(adding: "Retry-After: soon\n")).hasRetryAfter)
        #expect(!Parsed(options()).hasRetryAfter)
    }
}
