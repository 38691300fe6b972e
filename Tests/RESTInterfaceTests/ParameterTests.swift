import Testing

@testable import RESTInterface

@Suite struct ParameterTests {
    private static let long = String(repeating: "x", count: 2049)

    private static let table: [(kind: Parameter.Kind, good: [String], bad: [String])] = [
        (
            .text(limit: 4), ["a", "ab c", "日本語é", "\u{1f600}\u{1f600}\u{1f600}\u{1f600}", "<&>", "\u{2028}"],
            ["abcde", "\n", "a\u{0}", "a\u{7f}", "a\u{9f}", "a\r\n", "e\u{301}e\u{301}e"]
        ),
        (.body(limit: 6), ["a\r\nb", "\u{1}", "日本語日本語"], ["abcdefg", "a\u{0}", "\u{0}\u{301}"]),
        (.login, ["alice", "a%40b", "+1"], ["a:b", "a b", "%61", "é"]),
        (
            .password, ["x", "pass word", "é:日", String(repeating: "é", count: 128)],
            ["a\tb", String(long.prefix(129))]
        ),
        (.word(["yes", "no"]), ["yes", "no"], ["Yes", "yes ", "maybe", "yes,no", "yés"]),
        (.method, ["GET", "POST", "get", "Post"], ["PUT", "GET ", "DELETE", "G E T"]),
        (
            .url,
            [
                "http://a", "HTTPS://a.example/b?c=d&e#f", "http://[2001:db8::1]:80/", "http://127.0.0.1:8080?x",
                "http://a.b./", "http://a/%20", "https://a/" + String(long.prefix(2038)), "http://my_host-1:65535",
            ],
            [
                "http://", "https:///a", "http://?a", "http://#a", "http://:80/", "http://@a", "ftp://a/", "a", "a/b",
                "/", "/app",
                "http://[", "http://[]", "http://[1.2.3.4]/", "http://[::1", "http://[::1]80", "http://[::g]/",
                "http://a:",
                "http://a:0/", "http://a:65536/", "http://a:x/", "http://a:1:2/", "http://a..b/", "http://.a/",
                "http://%41/",
                "http://user@host/", "http://user:secret@host/", "http://a/%2", "http://a/%zz", "http://a/{x}",
                "http://a/[x]",
                "http://a/#b#c", "http://a/\"b\"", "http://a/<b>", "http://a\\b",
                "http://" + String(long.prefix(64)) + "/",
                "http:/a", "http://a b", "http://a/é", "http://a/\u{7f}", "http://a\r\nb", "javascript:alert(1)", " /",
                "https://a/" + String(long.prefix(2039)), "file:///etc/passwd",
            ]
        ),
        (
            .sid("AP"), ["AP0123456789abcdef0123456789abcdef"],
            [
                "AP", "AP0123456789abcdef0123456789abcde", "AP0123456789abcdef0123456789abcdef0",
                "AP0123456789ABCDEF0123456789abcdef", "CL0123456789abcdef0123456789abcdef",
                "ap0123456789abcdef0123456789abcdef", "AP0123456789abcdef0123456789abcdeg",
            ]
        ),
        (
            .number(1...1000), ["1", "1000", "007"],
            ["0", "1001", "-1", "+1", "1.0", "1e2", " 1", "a", "99999999999999999999", "１", "0x10"]
        ),
        (.day, ["2024-02-29"], ["2023-02-29", "today"]),
        (
            .email, ["a@b", "a.b+c@example.com", "!$&'*@x"],
            [
                "a", "@b", "a@", "a@b@c", "a b@c", "a:b@c", "a/b@c", "a?b@c", "a#b@c", "a%b@c", "é@b", "a\u{0}@b",
                String(long.prefix(253)) + "@b",
            ]
        ),
        (.phoneNumber, ["+123", "123", "alice"], ["1 23", "a:b"]),
        (
            .order(["From", "To"]), ["From", "To:asc", "To:desc"],
            ["from", "From:", "From:up", "From:asc:asc", ":asc", "X"]
        ),
        (.refused("for a reason."), [], ["a"]),
        (
            .target,
            [
                "alice", "client:alice", "+123", "sip:bob@example.com", "SIP:bob@example.com:5070;transport=tcp",
                "bob@[2001:db8::1]:5060", "alice?X-A=1&B=%20c", "client:alice?", "bob@example.com?X-A=a%3Db",
            ],
            [
                "a b", "client:", "sip:alice", "sips:bob@example.com", "@example.com", "bob@", "bob@a@b", "bob@a..b",
                "bob@a:0", "<sip:bob@a>", "bob@a\r\nX: y", "alice?X-A", "alice?X-A=%0d", "alice?X-A=%zz", "alice?X A=1",
                "alice?=1", "alice?X-A=%ff", "alice?" + (0...20).map { "X-\($0)=1" }.joined(separator: "&"),
                String(long.prefix(1025)),
            ]
        ),
        (.words(["a", "b"]), ["a", "b,a", "a, b", " a "], ["c", "a,", ",", "a b", "a,,b"]),
    ]

    @Test(arguments: table.indices)
    func `A kind takes what it should and refuses the rest with a sentence`(index: Int) throws {
        let (kind, good, bad) = ParameterTests.table[index]
        let parameter = Parameter("Name", kind, "")
        for value in good { #expect(parameter.fault(of: value) == nil, "\(kind) \(value)") }
        for value in bad {
            let fault = parameter.fault(of: value)
            #expect(fault?.hasSuffix(".") == true, "\(kind) \(value.debugDescription)")
        }
    }

    @Test(arguments: table.indices)
    func `An empty value is none, unless the parameter must be filled`(index: Int) {
        let parameter = Parameter("Name", ParameterTests.table[index].kind, "")
        #expect(parameter.fault(of: "") == nil)
        #expect(parameter.filled.fault(of: "") == "it is empty.")
        #expect(parameter.required.fault(of: "") == "it is empty.")
        #expect(parameter.required.isRequired && !parameter.filled.isRequired && !parameter.isRequired)
    }

    @Test func `The choices are told`() {
        #expect(Parameter("A", .word(["a"]), "").fault(of: "x") == "a is expected.")
        #expect(Parameter("A", .word(["a", "b", "c"]), "").fault(of: "x") == "a, b or c is expected.")
        #expect(
            Parameter("A", .number(1...9), "").fault(of: "x") == "a whole number from 1 to 9 is expected.")
    }

    @Test func `An order is a field and perhaps a direction`() {
        #expect(Order("To", ["From", "To"])?.isDescending == false)
        #expect(Order("To:asc", ["From", "To"])?.isDescending == false)
        #expect(Order("To:desc", ["From", "To"])?.isDescending == true)
        #expect(Order("To:desc", ["From", "To"])?.field == "To")
    }
}
