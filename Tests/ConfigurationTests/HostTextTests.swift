import Testing

@testable import Configuration

@Suite struct HostTextTests {
    @Test(
        arguments: [
            "example.com", "example.com.", "localhost", "sip-1.example.com", "10.0.0.1", "::1", "[::1]", "2001:db8::1",
            "my_host", "1st.example",
        ])
    func `Names and addresses are hosts`(text: String) { #expect(HostText.isHost(text)) }

    @Test(
        arguments: [
            "", ".", "a..b", "-a.com", "a-.com", "a b", "192.168.1.300", "1.2.3", "a:5060", "[10.0.0.1]", "[::1",
            "exämple.com",
            "sip:a.com", "a/b", "a@b", String(repeating: "x", count: 64),
        ])
    func `Anything else is no host`(text: String) { #expect(!HostText.isHost(text)) }

    @Test func `A host may have a port, an IPv6 address then in brackets`() throws {
        #expect(try #require(HostText.split("a.com:5070")) == ("a.com", 5070))
        #expect(try #require(HostText.split("[::1]:5070")) == ("[::1]", 5070))
        #expect(try #require(HostText.split("::1")).host == "[::1]")
        #expect(try #require(HostText.split("10.0.0.1")).port == nil)
        for text in ["a.com:", "a.com:0", "a.com:65536", "a.com:x", ":5060", "a.com:+1"] {
            #expect(HostText.split(text) == nil, "\(text)")
        }
    }
}
