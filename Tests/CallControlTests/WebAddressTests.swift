import CallControl
import Testing

@Suite struct WebAddressTests {
    @Test func anAddressIsAskedByPOSTUnlessItSaysOtherwise() { #expect(WebAddress("http://a/").method == .post) }
}
