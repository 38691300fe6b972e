import Foundation

/// `rollcall bans ...`: who is kept out for guessing.
struct BansCommand {
    let site: Site

    init(_ site: Site) { self.site = site }

    func list(json: Bool) throws {
        let bans = try all(of: try APIConnection(site))
        if json { return try JSONText.print(bans) }
        if bans.isEmpty { return Terminal.print("nobody is banned, and no login has to wait") }
        TextTable.print(
            ["SOURCE", "LOGIN", "WHAT", "FAILURES", "LEFT", "SINCE", "LAST"],
            bans.map {
                [
                    $0.source ?? "anywhere", $0.login, $0.kind == "source" ? "banned" : "waits", "\($0.failures)",
                    "\($0.expiresIn)s", $0.dateCreated, $0.code,
                ]
            })
    }

    /// Lifts what is about a source or a login; a login of a banned source does not name the source.
    func lift(_ subject: String) throws {
        let api = try APIConnection(site)
        let found = try all(of: api).filter {
            $0.source == subject || $0.kind != "source" && $0.login == subject || $0.sid == subject
        }
        if found.isEmpty {
            throw CommandFailure(
                "neither an address nor a login '\(TextTable.plain(subject))' is banned or has to wait; "
                    + "'rollcall bans' lists what is")
        }
        // What has ended by itself since it was listed is lifted as well.
        for ban in found { _ = try api.deleteIfThere("\(api.account.sid)/Bans/\(ban.sid)") }
        Terminal.print(
            found.count == 1
                ? "lifted; the failures are forgotten" : "\(found.count) lifted; the failures are forgotten")
    }

    private func all(of api: APIConnection) throws -> [BanView] {
        try JSONDecoder().decode([BanView].self, from: try api.send(.get, "\(api.account.sid)/Bans"))
    }
}

/// A ban or a delay as the API shows it and the command prints it.
struct BanView: Codable {
    let sid: String
    /// `source`, `attempt` or `login`.
    let kind: String
    let source: String?
    let login: String
    let failures: Int
    let dateCreated: String
    let dateExpires: String
    let expiresIn: Int
    let code: String
    let message: String

    enum CodingKeys: String, CodingKey {
        case sid, kind, source, login, failures, code, message
        case dateCreated = "date_created"
        case dateExpires = "date_expires"
        case expiresIn = "expires_in"
    }
}
