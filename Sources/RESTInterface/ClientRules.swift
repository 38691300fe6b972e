import Primitives

/// What a login may be: RFC 2396 userinfo without `:`, which neither digest nor Basic authentication can carry.
public enum ClientRules {
    /// The most characters of a login.
    public static let loginLimit = 64

    /// Why a text cannot be a login, as a sentence; nil when it can.
    public static func fault(ofLogin login: String) -> String? {
        if login.isEmpty || login.unicodeScalars.count > loginLimit {
            return "a login has 1 to \(loginLimit) characters, this one has \(login.unicodeScalars.count)."
        }
        for character in login {
            guard let byte = character.asciiValue, isAllowed(byte) || byte == UInt8(ascii: "%") else {
                return
                    "it contains the invalid character '\(shown(character))'; letters, digits and -_.!~*'();&=+$, are allowed."
            }
        }
        return escapeFault(of: login)
    }

    private static func isAllowed(_ byte: UInt8) -> Bool {
        ASCII.isUnreserved(byte) || ";&=+$,".utf8.contains(byte)
    }

    /// RFC 3261 19.1.4: `%61` and `a` are the same user, who would be two clients with one place.
    private static func escapeFault(of login: String) -> String? {
        var rest = login.utf8[...]
        while let percent = rest.firstIndex(of: UInt8(ascii: "%")) {
            let digits = String(decoding: rest[percent...].dropFirst().prefix(2), as: UTF8.self)
            guard digits.utf8.count == 2, digits.utf8.allSatisfy({ ASCII.hexadecimalValue($0) != nil }),
                let byte = UInt8(digits, radix: 16)
            else { return "a % must be followed by two hexadecimal digits." }
            if isAllowed(byte) { return "write '\(Character(UnicodeScalar(byte)))' for '%\(digits)'." }
            if byte < 0x20 || byte == 0x7f { return "it contains the invalid character '%\(digits)'." }
            if digits != digits.uppercased() { return "write '%\(digits.uppercased())' for '%\(digits)'." }
            rest = rest[percent...].dropFirst(3)
        }
        return nil
    }

    /// A character as a message can show it: what cannot be seen by its number.
    private static func shown(_ character: Character) -> String {
        character.unicodeScalars.map { scalar in
            scalar.properties.generalCategory == .control
                ? "U+" + String(scalar.value, radix: 16, uppercase: true) : String(scalar)
        }.joined()
    }
}
