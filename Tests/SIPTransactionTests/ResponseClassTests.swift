import SIPTransaction
import Testing

@Suite struct ResponseClassTests {
    @Test(
        arguments: [
            (100, .provisional), (180, .provisional), (199, .provisional), (200, .success), (299, .success),
            (300, .failure), (404, .failure), (699, .failure), (0, .provisional), (65_535, .failure),
        ] as [(UInt16, ResponseClass)])
    func rfc3261Section17TellsThreeClassesOfResponsesApart(status: UInt16, expected: ResponseClass) {
        #expect(ResponseClass(status: status) == expected)
    }
}
