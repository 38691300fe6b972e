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
            ["LOGIN", "CONTACT", "FROM", "HEARD", "EXPIRES", "USER AGENT"],
            registrations.map {
                [
                    $0.login, $0.contact, place(of: $0), age(of: $0.lastAlive), "\($0.expiresIn)s", $0.userAgent,
                ]
            })
    }

    private func place(of registration: RegistrationView) -> String {
        if registration.status == "waiting" { return "waiting to reconnect" }
        let place = "\(registration.transport):\(registration.source)"
        return registration.reachable ? place : "\(place) (unreachable)"
    }

    /// How long ago a date of the API was.
    private func age(of date: String) -> String {
        let format = DateFormatter()
        format.locale = Locale(identifier: "en_US_POSIX")
        format.dateFormat = "EEE, d MMM yyyy HH:mm:ss Z"
        guard let time = format.date(from: date) else { return date }
        return "\(max(0, Int(Date().timeIntervalSince(time))))s ago"
    }
}
