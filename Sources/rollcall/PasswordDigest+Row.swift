import Primitives
import SIPAuthentication
import Store

/// The stored form of the digests: one column an algorithm.
extension ClientRow {
    /// Sets the digests of a password, and the password itself where the site keeps it.
    mutating func setPassword(_ password: String, site: Site) {
        let digest = site.digest(login: login, password: password)
        ha1MD5 = digest[.md5].withSlice { $0.bytes }
        ha1SHA256 = digest[.sha256].withSlice { $0.bytes }
        ha1SHA512_256 = digest[.sha512_256].withSlice { $0.bytes }
        realm = site.domain
        self.password = site.configuration.authentication.passwords == .recoverable ? password : nil
    }

    /// What the client's password is checked against in the site's realm; nil when it was stored as digests only, for
    /// another realm: the password must then be set anew.
    func digest(for site: Site) -> PasswordDigest? {
        if realm == site.domain { return (ha1MD5 + ha1SHA256 + ha1SHA512_256).withSlice { PasswordDigest(stored: $0) } }
        return password.map { site.digest(login: login, password: $0) }
    }
}
