import CallControl
import Observability
import Primitives
import RESTInterface
import SIPProxy
import SIPRegistrar
import Store
import Transport

/// Keeps the clients in memory as they are in the store: loads them at the start, follows what other processes change.
final class ClientDirectory: Sendable {
    private let site: Site
    private let location: LocationService
    private let log: DaemonLog
    private let applications: ApplicationDirectory

    init(_ site: Site, _ location: LocationService, _ applications: ApplicationDirectory, _ log: DaemonLog) {
        self.applications = applications
        self.site = site
        self.location = location
        self.log = log
    }

    /// Loads all clients and live bindings.
    func load(from store: Store, _ bridge: StoreBridge) throws(StoreError) {
        try ApplicationLoader.loadNumbers(of: store, into: applications)
        try store.forEachClientWithAccount { apply($0, isAccountActive: $1) }
        try store.forEachBinding(liveAt: System.now().unix) { row, login in
            guard let binding = bridge.binding(of: row) else { return }
            _ = login.withSlice { location.restore(binding, of: $0) }
        }
    }

    /// Takes over changes that another process or the API has made.
    func follow(_ changes: [ClientChange]) {
        for change in changes {
            if let change = change.application {
                ApplicationLoader.follow(change, in: applications)
                continue
            }
            if let account = change.account {
                log.write(.accountChanged) { buffer in
                    account.sid.withSlice { buffer.field("account", $0) }
                    account.status.withSlice { buffer.field("status", $0) }
                    buffer.field("clients", number: account.clients)
                }
            }
            if let client = change.client {
                apply(client, isAccountActive: change.isAccountActive)
                if change.isByAccount { continue }
                log.write(.clientChanged) { buffer in
                    client.login.withSlice { buffer.field("user", $0) }
                    buffer.field("status", number: client.status)
                }
            } else {
                applications.setClient(Array(change.login.utf8), nil)
                tell(change.login.withSlice { location.removeClient($0) })
                log.write(.clientRemoved) { buffer in change.login.withSlice { buffer.field("user", $0) } }
            }
        }
    }

    private func apply(_ client: ClientRow, isAccountActive: Bool) {
        guard let digest = client.digest(realm: site.domain) else {
            applications.setClient(Array(client.login.utf8), nil)
            // What is in memory of it is of before the change: an old password, or a client that was disabled since.
            tell(client.login.withSlice { location.removeClient($0) })
            log.write(.configNote) { buffer in
                client.login.withSlice { buffer.field("user", $0) }
                buffer.field(
                    "what", "its password was stored for another domain; set it anew with 'rollcall client set'")
            }
            return
        }
        // First, so that no call finds the client without it.
        applications.setClient(Array(client.login.utf8), ApplicationLoader.choice(of: client))
        client.login.withSlice { login in
            client.sid.withSlice { sid in
                tell(
                    location.replaceClient(
                        id: client.id, sid: sid, login: login, password: digest,
                        isEnabled: client.status == 1 && isAccountActive, hasApplication: client.hasApplication,
                        accountID: client.accountID))
            }
        }
    }

    /// Writes a line for each binding that ended with its client, or because the client was disabled.
    private func tell(_ bindings: [DroppedBinding]) {
        for dropped in bindings { log.write(dropped: dropped, why: "its client was disabled or removed") }
    }
}

extension ClientRow {
    /// True when calls and texts of the client go to an application.
    fileprivate var hasApplication: Bool {
        !(voiceApplicationSID ?? "").isEmpty || !(voiceURL ?? "").isEmpty
    }
}
