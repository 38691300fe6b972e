import Primitives
import SIPAuthentication
import Store

/// The stored form of a password: its digests, one column an algorithm, and itself where it is kept.
extension ClientRow {
    /// Sets the password, and keeps it readable when `isKept`.
    public mutating func setPassword(_ password: String, realm: String, isKept: Bool) {
        let digest = ClientRow.digest(login: login, realm: realm, password: password)
        ha1MD5 = digest[.md5].withSlice { $0.bytes }
        ha1SHA256 = digest[.sha256].withSlice { $0.bytes }
        ha1SHA512_256 = digest[.sha512_256].withSlice { $0.bytes }
        self.realm = realm
        self.password = isKept ? password : nil
    }

    /// What the client's password is checked against in a realm; nil when it was stored as digests only, for another
    /// realm: the password must then be set anew.
    public func digest(realm: String) -> PasswordDigest? {
        if self.realm == realm {
            return (ha1MD5 + ha1SHA256 + ha1SHA512_256).withSlice { PasswordDigest(stored: $0) }
        }
        return password.map { ClientRow.digest(login: login, realm: realm, password: $0) }
    }

    /// True when this is the client's password.
    func hasPassword(_ password: String, realm: String) -> Bool {
        digest(realm: realm) == ClientRow.digest(login: login, realm: realm, password: password)
    }

    private static func digest(login: String, realm: String, password: String) -> PasswordDigest {
        login.withSlice { login in
            realm.withSlice { realm in
                password.withSlice { PasswordDigest(login: login, realm: realm, password: $0) }
            }
        }
    }
}
