import CallControl
import Configuration
import Primitives
import SIPProxy
import Store

/// Fills the directory of applications from the store.
enum ApplicationLoader {
    /// Loads accounts, applications, numbers and clients: for a command that runs without the server.
    static func load(_ store: Store, into directory: ApplicationDirectory) throws(StoreError) {
        try loadNumbers(of: store, into: directory)
        try store.forEachClientWithAccount { client, _ in
            directory.setClient(Array(client.login.utf8), choice(of: client))
        }
    }

    /// Loads all but the clients, which the server reads once for everything.
    static func loadNumbers(of store: Store, into directory: ApplicationDirectory) throws(StoreError) {
        try store.forEachAccount { directory.setAccount($0.id, entry(of: $0)) }
        try store.forEachApplication { directory.setApplication($0.sid, application($0)) }
        try store.forEachNumber { directory.setNumber(Array($0.phoneNumber.utf8), choice(of: $0)) }
    }

    /// Takes over a change.
    static func follow(_ change: ApplicationChange, in directory: ApplicationDirectory) {
        switch change {
        case .account(let account): directory.setAccount(account.id, entry(of: account))
        case .application(let sid, let row): directory.setApplication(sid, row.map(application))
        case .number(let number, let row): directory.setNumber(Array(number.utf8), row.map(choice))
        }
    }

    /// What a client has been given; nil for nothing, so that clients without applications cost no memory.
    static func choice(of client: ClientRow) -> ApplicationChoice? {
        // An application makes the URLs of the client itself ignored, for texts too.
        if let sid = client.voiceApplicationSID, !sid.isEmpty {
            return ApplicationChoice(accountID: client.accountID, own: Application(), voiceSID: sid, smsSID: sid)
        }
        guard let voice = address(client.voiceURL, client.voiceMethod) else { return nil }
        var own = Application()
        own.voice = voice
        own.voiceFallback = address(client.voiceFallbackURL, client.voiceFallbackMethod)
        return ApplicationChoice(accountID: client.accountID, own: own)
    }

    private static func choice(of number: NumberRow) -> ApplicationChoice {
        var own = Application()
        let voiceSID = number.voiceApplicationSID.flatMap { $0.isEmpty ? nil : $0 }
        let smsSID = number.smsApplicationSID.flatMap { $0.isEmpty ? nil : $0 }
        if voiceSID == nil {
            own.voice = address(number.voice.url, number.voice.method)
            own.voiceFallback = address(number.voice.fallbackURL, number.voice.fallbackMethod)
        }
        if smsSID == nil {
            own.sms = address(number.sms.url, number.sms.method)
            own.smsFallback = address(number.sms.fallbackURL, number.sms.fallbackMethod)
        }
        own.statusCallback = address(number.statusCallback, number.statusCallbackMethod)
        return ApplicationChoice(accountID: number.accountID, own: own, voiceSID: voiceSID, smsSID: smsSID)
    }

    private static func application(_ row: ApplicationRow) -> Application {
        var application = Application()
        application.sid = row.sid
        application.voice = address(row.voice.url, row.voice.method)
        application.voiceFallback = address(row.voice.fallbackURL, row.voice.fallbackMethod)
        application.sms = address(row.sms.url, row.sms.method)
        application.smsFallback = address(row.sms.fallbackURL, row.sms.fallbackMethod)
        application.statusCallback = address(row.statusCallback, row.statusCallbackMethod)
        return application
    }

    private static func entry(of account: AccountRow) -> AccountEntry {
        AccountEntry(
            sid: account.sid, authToken: account.authToken,
            isActive: account.effectiveStatus == AccountStatus.active.rawValue)
    }

    private static func address(_ url: String?, _ method: String) -> WebAddress? {
        guard let url, !url.isEmpty else { return nil }
        return WebAddress(url, WebAddress.Method(rawValue: method.uppercased()) ?? .post)
    }
}

extension Gateway {
    /// A gateway of the configuration.
    init(_ gateway: Configuration.Gateway) {
        self.init(name: Array(gateway.name.utf8), uri: Array(gateway.uri.utf8))
        user = Array(gateway.user.utf8)
        password = Array(gateway.password.utf8)
        rules = gateway.rules.map {
            Rule(prefix: Array($0.prefix.utf8), strip: $0.strip, prepend: Array($0.prepend.utf8))
        }
        inbound = gateway.inbound.compactMap { $0.withSlice { IPNetwork($0) } }
    }
}
