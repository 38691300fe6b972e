import Configuration
import Glibc
import Observability
import Primitives
import Store
import Transport

/// A configuration with what it leaves to the machine filled in: paths and the domain.
struct Site {
    /// The configuration as read.
    let configuration: Configuration
    /// The file that it was read from; nil without one.
    let file: String?
    /// The directory of the database.
    let stateDirectory: String
    /// The database file.
    let databasePath: String
    /// The domain, which is the realm too: the configured one, else the machine's primary address.
    let domain: String

    init(_ configuration: Configuration, file: String? = nil) {
        self.configuration = configuration
        self.file = file
        var environment: [String: String] = [:]
        if let value = getenv("STATE_DIRECTORY") { environment["STATE_DIRECTORY"] = String(cString: value) }
        stateDirectory = configuration.stateDirectoryPath(environment: environment)
        databasePath = configuration.databasePath(environment: environment)
        domain = configuration.domain.isEmpty ? Site.primaryHost() : configuration.domain
    }

    /// The machine's primary address as the host of a URI.
    private static func primaryHost() -> String {
        let address = LocalAddresses.primary()
        if address.isLoopback { return "localhost" }
        return address.isIPv4 ? address.description : "[\(address)]"
    }

    /// How the database is opened.
    var storeOptions: StoreOptions {
        var options = StoreOptions()
        options.durability = configuration.durability == .synced ? .synced : .commit
        options.recordLimits = RecordLimits(configuration)
        options.callLimitReason = Int64(Reason.callLimitReached.rawValue)
        return options
    }

    /// Opens the database for a command, makes it when it is missing.
    func openStore() throws(StoreError) -> Store {
        try Store(path: databasePath, options: storeOptions, checked: false)
    }

    /// Opens the database for a command that needs one with something in it.
    func openExisting() throws -> Store {
        try requireDatabase()
        return try openStore()
    }

    private func requireDatabase() throws {
        if access(databasePath, F_OK) == 0 { return }
        throw CommandFailure(
            "there is no database at \(databasePath); name the server's configuration with --config, "
                + "or make the first client with 'rollcall client add LOGIN'")
    }

    /// The account that clients belong to; made when there is none.
    func account(in store: Store) throws(StoreError) -> (account: AccountRow, isNew: Bool) {
        if let account = try store.firstAccount() { return (account, false) }
        return (try store.createAccount(friendlyName: "Default account", at: System.now().unix), true)
    }

    /// The sids of all accounts that are not closed, in the order of their creation.
    func accountSIDs() throws -> [String] {
        var sids: [String] = []
        try openExisting().forEachAccount { if $0.effectiveStatus != "closed" { sids.append($0.sid) } }
        return sids
    }
}
