import CallControl
import Configuration
import Foundation
import Observability
import Primitives
import SIPProxy
import Store

/// `rollcall route --from LOGIN --to TARGET`: what would become of a call or text, without making one.
struct RouteCommand {
    let site: Site
    let query: RouteQuery

    init(_ site: Site, _ query: RouteQuery) {
        self.site = site
        self.query = query
    }

    func run() throws {
        let store = try site.openExisting()
        guard let caller = try store.client(login: query.from) else {
            throw CommandFailure(
                "there is no client '\(TextTable.plain(query.from))'; 'rollcall client list' shows them all")
        }
        let route = try RouteFinder(site, store, query, caller).find()
        if query.json { return try JSONText.print(route) }
        for (number, step) in route.steps.enumerated() { Terminal.print("\(number + 1). \(TextTable.plain(step))") }
        Terminal.print("-> \(TextTable.plain(route.outcome))")
        if let request = route.request {
            Terminal.print("   \(request.method) \(TextTable.plain(request.url))")
            for parameter in request.parameters {
                Terminal.print("     \(parameter.name): \(TextTable.plain(parameter.value))")
            }
        }
        for device in route.devices ?? [] {
            Terminal.print(
                "   \(TextTable.plain(device.contact)) by \(device.transport):\(device.source), q \(device.q)")
        }
        if let uri = route.uri { Terminal.print("   \(TextTable.plain(uri))") }
    }
}

/// What would become of a call or text, as the command prints it.
struct RouteView: Encodable {
    /// A request that an application would get.
    struct Request: Encodable {
        let method: String
        let url: String
        let parameters: [Parameter]
    }

    /// A parameter of it.
    struct Parameter: Encodable {
        let name: String
        let value: String
    }

    /// A registered device of the callee.
    struct Device: Encodable {
        let contact: String
        let transport: String
        let source: String
        let q: String
    }

    /// The decisions in their order, each a sentence.
    var steps: [String] = []
    /// What it comes to, in a sentence.
    var outcome = ""
    /// `application`, `client`, `gateway` or `refused`.
    var kind = ""
    /// The SIP status of a refusal.
    var status: Int?
    /// The code of a refusal.
    var code: String?
    var request: Request?
    var devices: [Device]?
    /// Where a gateway would get it.
    var uri: String?
}
