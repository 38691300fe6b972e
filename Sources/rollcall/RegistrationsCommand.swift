import Primitives
import Store
import Transport

/// `rollcall registrations`: what is stored now; a running server stores each change before it answers.
struct RegistrationsCommand {
    let site: Site

    init(_ site: Site) { self.site = site }

    func list(_ login: String?, json: Bool) throws {
        let now = System.now().unix
        let store = try site.openForReading()
        var client: Int64?
        if let login {
            guard let row = try store.client(login: login) else {
                throw CommandFailure("there is no client '\(login)'; 'rollcall client list' shows them all")
            }
            client = row.id
        }
        var bindings: [BindingView] = []
        try store.forEachBinding(ofClient: client, liveAt: now) { row, login in
            bindings.append(BindingView(row, login: login, now: now))
        }
        if json { return try JSONText.print(bindings) }
        if bindings.isEmpty {
            return Terminal.print(login.map { "\($0) has no device registered" } ?? "nobody is registered")
        }
        TextTable.print(
            ["LOGIN", "CONTACT", "FROM", "EXPIRES", "USER AGENT"],
            bindings.map {
                [
                    $0.login, $0.contact, $0.isWaiting ? "waiting to reconnect" : "\($0.transport):\($0.source)",
                    "\($0.expires)s", $0.userAgent,
                ]
            })
    }
}
