import Foundation
import Store

/// `rollcall registrations`: who is registered now.
struct RegistrationsCommand {
    let site: Site

    init(_ site: Site) { self.site = site }

    func list(_ login: String?, json: Bool) throws {
        let api = try APIConnection(site)
        var resources = try site.accountSIDs().map { "\($0)/Registrations" }
        if let login { resources = ["\(try ClientCommands(site).resource(of: login))/Registrations"] }
        var registrations: [RegistrationView] = []
        for resource in resources {
            registrations += try JSONDecoder().decode([RegistrationView].self, from: try api.send(.get, resource))
        }
        if json { return try JSONText.print(registrations) }
        if registrations.isEmpty {
            return Terminal.print(login.map { "\($0) has no device registered" } ?? "nobody is registered")
        }
        TextTable.print(
            ["LOGIN", "CONTACT", "FROM", "EXPIRES", "USER AGENT"],
            registrations.map {
                [
                    $0.login, $0.contact,
                    $0.status == "waiting" ? "waiting to reconnect" : "\($0.transport):\($0.source)",
                    "\($0.expiresIn)s", $0.userAgent,
                ]
            })
    }
}
