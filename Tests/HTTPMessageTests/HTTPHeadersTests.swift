import HTTPMessage
import Testing

@Suite struct HTTPHeadersTests {
    @Test("9110 5.1: names are compared without case, fields keep their order")
    func namesAreCaseInsensitive() {
        var headers = HTTPHeaders()
        headers.append("X-A", "1")
        headers.append("X-B", "2")
        headers.append("x-a", "3")
        #expect(headers["X-a"] == "1")
        #expect(headers.values(of: "X-A") == ["1", "3"])
        #expect(headers["X-C"] == nil)
        #expect(headers.fields.map(\.name) == ["X-A", "X-B", "x-a"])
    }
}
