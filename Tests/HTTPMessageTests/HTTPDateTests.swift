import HTTPMessage
import Primitives
import Testing

@Suite struct HTTPDateTests {
    @Test(
        "9110 5.6.7: dates are in the fixed form",
        arguments: [
            (784_111_777, "Sun, 06 Nov 1994 08:49:37 GMT"), (0, "Thu, 01 Jan 1970 00:00:00 GMT"),
            (951_782_400, "Tue, 29 Feb 2000 00:00:00 GMT"), (1_735_689_599, "Tue, 31 Dec 2024 23:59:59 GMT"),
            (4_107_542_400, "Mon, 01 Mar 2100 00:00:00 GMT"), (Int64.max / 1000, "Fri, 31 Dec 9999 23:59:59 GMT"),
            (-5, "Thu, 01 Jan 1970 00:00:00 GMT"),
        ] as [(Int64, String)])
    func dateIsFixed(seconds: Int64, expected: String) {
        var writer = ByteWriter(capacity: 64)
        HTTPDate.append(UnixTime(seconds: seconds), to: &writer)
        #expect(writer.slice.string == expected)
    }
}
