import HTTPMessage
import Primitives
import Testing

@Suite struct HTTPRequestFormatTests {
    @Test(
        "The suffix of a path segment wins over Accept, the last one first",
        arguments: [
            ("/a.json", "application/xml", true), ("/a.XML", "application/json", false),
            ("/Accounts.json/AC1", nil, true), ("/a.xml/b.json", nil, true),
            ("/a", "text/html, application/json", true),
            ("/a", "*/*", false), ("/a", nil, nil), ("/", nil, nil), ("/.json/", nil, true), ("*", nil, nil),
            ("/ajson", nil, nil),
        ] as [(String, String?, Bool?)])
    func suffixWins(path: String, accept: String?, expected: Bool?) {
        var headers = HTTPHeaders()
        if let accept { headers.append("Accept", accept) }
        let request = HTTPRequest(
            method: .get, path: [], rawPath: path, headers: headers, source: IPAddress(ipv4: 1))
        #expect(request.wantsJSON == expected)
    }
}
