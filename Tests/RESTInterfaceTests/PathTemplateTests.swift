import Testing

@testable import RESTInterface

@Suite struct PathTemplateTests {
    private let template = PathTemplate("/Accounts/{AccountSid}/Clients/{ClientSid}")

    @Test func `A path of the form gives its values by name`() {
        let path = ["Accounts", "AC1", "Clients", "a/b c"]
        #expect(template.matches(path))
        #expect(template.values(of: path) == ["AccountSid": "AC1", "ClientSid": "a/b c"])
        #expect(template.names == ["AccountSid", "ClientSid"])
        #expect(PathTemplate("/Accounts").matches(["Accounts"]))
    }

    @Test(arguments: [
        [], ["Accounts"], ["Accounts", "AC1", "Clients"], ["Accounts", "AC1", "Clients", ""],
        ["Accounts", "", "Clients", "CL1"], ["accounts", "AC1", "Clients", "CL1"],
        ["Accounts", "AC1", "Clients", "CL1", "more"], ["Accounts", "AC1", "Clients", "CL1", ""],
    ])
    func `Other paths are not of the form`(path: [String]) { #expect(!template.matches(path)) }

    @Test func `No path is of the forms of two operations with different values`() {
        for first in Operation.all {
            let path = first.path.text.split(separator: "/").map { $0.hasPrefix("{") ? "value" : String($0) }
            let matching = Set(Operation.all.filter { $0.path.matches(path) }.map(\.path.text))
            #expect(matching == [first.path.text])
        }
    }
}
