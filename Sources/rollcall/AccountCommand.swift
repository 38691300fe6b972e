/// `rollcall account show`.
struct AccountCommand {
    let site: Site

    init(_ site: Site) { self.site = site }

    func show(json: Bool) throws {
        let account = try site.account(in: try site.openExisting()).account
        if json {
            return try JSONText.print(
                AccountView(
                    sid: account.sid, authToken: account.authToken, friendlyName: account.friendlyName,
                    status: account.status))
        }
        Terminal.print("AccountSid: \(account.sid)")
        Terminal.print("AuthToken:  \(account.authToken)")
        Terminal.print("Status:     \(account.status)")
    }
}
