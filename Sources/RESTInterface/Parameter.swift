import Primitives

/// A parameter of an operation: in the query of a GET, in the form of a POST or PUT.
struct Parameter: Sendable {
    /// What a value must be.
    enum Kind: Sendable {
        /// A name for people: up to this many characters, no control characters.
        case text(limit: Int)
        /// The text of a message: up to this many characters, line ends allowed.
        case body(limit: Int)
        /// A client's login.
        case login
        /// A client's login or a number, and perhaps `client:` before it.
        case party
        /// A client's password.
        case password
        /// One of these words.
        case word([String])
        /// GET or POST, in any case.
        case method
        /// An absolute address of http or https.
        case url
        /// Whom a call is for: `client:LOGIN`, a number or a SIP URI.
        case target
        /// One or more of these words, with commas between them.
        case words([String])
        /// A sid with this prefix.
        case sid(String)
        /// A whole number.
        case number(ClosedRange<Int>)
        /// A day, `yyyy-MM-dd`.
        case day
        /// An e-mail address.
        case email
        /// A number as dialled, or any user part.
        case phoneNumber
        /// A field to sort by, and perhaps a direction.
        case order([String])
        /// A parameter that clients of Restcomm send and that this server refuses, with the reason.
        case refused(String)
    }

    let name: String
    let kind: Kind
    let meaning: String
    var isRequired = false
    /// True when an empty value means "none" or the default, and not an empty text.
    var mayBeEmpty = true

    init(_ name: String, _ kind: Kind, _ meaning: String) {
        self.name = name
        self.kind = kind
        self.meaning = meaning
    }

    /// The same parameter, which must be there and not be empty.
    var required: Parameter {
        var result = self
        result.isRequired = true
        result.mayBeEmpty = false
        return result
    }

    /// The same parameter, which need not be there, but must not be empty.
    var filled: Parameter {
        var result = self
        result.mayBeEmpty = false
        return result
    }

    /// Why a value cannot be taken, as the rest of a sentence; nil when it can.
    func fault(of value: String) -> String? {
        if value.isEmpty { return mayBeEmpty ? nil : "it is empty." }
        switch kind {
        case .text(let limit): return Parameter.textFault(value, limit: limit)
        case .body(let limit):
            return value.unicodeScalars.count > limit
                ? "it has more than \(limit) characters."
                : value.utf8.contains(0) ? "it has a NUL character." : nil
        case .login: return ClientRules.fault(ofLogin: value)
        case .party: return ClientRules.fault(ofLogin: Parameter.user(value))
        case .password: return Parameter.textFault(value, limit: 128)
        case .word(let words): return words.contains(value) ? nil : "\(Parameter.choices(words)) is expected."
        case .method:
            return ["GET", "POST"].contains(value.uppercased()) ? nil : "GET or POST is expected."
        case .url: return URLRules.fault(of: value)
        case .target: return CallTarget.fault(of: value)
        case .words(let words):
            return Parameter.words(value).allSatisfy(words.contains)
                ? nil : "\(Parameter.choices(words)) is expected, with commas between several."
        case .sid(let prefix):
            return Parameter.isSID(value, prefix) ? nil : "\(prefix) and 32 hexadecimal digits are expected."
        case .number(let range):
            guard value.utf8.count <= 9, let number = Int(value), range.contains(number),
                value.utf8.allSatisfy(ASCII.isDigit)
            else { return "a whole number from \(range.lowerBound) to \(range.upperBound) is expected." }
            return nil
        case .day: return APIDate.startOfDay(value) == nil ? "a day is expected, written yyyy-MM-dd." : nil
        case .email: return Parameter.emailFault(value)
        case .phoneNumber: return ClientRules.fault(ofLogin: value)
        case .order(let names):
            return Order(value, names) == nil
                ? "one of \(names.joined(separator: ", ")) is expected, with :asc or :desc behind it if you like." : nil
        case .refused(let why): return why
        }
    }

    private static func choices(_ words: [String]) -> String {
        words.count == 1 ? words[0] : words.dropLast().joined(separator: ", ") + " or " + (words.last ?? "")
    }

    private static func textFault(_ value: String, limit: Int) -> String? {
        if value.unicodeScalars.contains(where: { $0.properties.generalCategory == .control }) {
            return "it has a control character."
        }
        return value.unicodeScalars.count > limit ? "it has more than \(limit) characters." : nil
    }

    private static func emailFault(_ value: String) -> String? {
        let parts = value.split(separator: "@", omittingEmptySubsequences: false)
        guard parts.count == 2, !parts[0].isEmpty, !parts[1].isEmpty, value.utf8.count <= 254,
            // A colon would end the name in Basic credentials, a slash the segment of a path.
            value.utf8.allSatisfy({ (0x21...0x7e).contains($0) && !":/?#%".utf8.contains($0) })
        else { return "an e-mail address is expected." }
        return nil
    }

    /// The words of a list with commas; spaces around them do not matter.
    static func words(_ list: String) -> [String] {
        list.split(separator: ",", omittingEmptySubsequences: false).map { word in
            String(word.drop(while: { $0 == " " }).reversed().drop(while: { $0 == " " }).reversed())
        }
    }

    /// The user that a party names: Restcomm's clients may write `client:` before it.
    static func user(_ party: String) -> String { party.hasPrefix("client:") ? String(party.dropFirst(7)) : party }

    /// True for `prefix` and 32 lower-case hexadecimal digits.
    static func isSID(_ text: String, _ prefix: String) -> Bool {
        text.hasPrefix(prefix) && text.utf8.count == prefix.utf8.count + 32
            && text.utf8.dropFirst(prefix.utf8.count).allSatisfy {
                ASCII.isDigit($0) || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains($0)
            }
    }
}

/// What a list is sorted by: `Field`, `Field:asc` or `Field:desc`.
struct Order: Equatable {
    let field: String
    let isDescending: Bool

    init?(_ text: String, _ names: [String]) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        guard let field = parts.first, names.contains(field), parts.count <= 2,
            parts.count == 1 || parts[1] == "asc" || parts[1] == "desc"
        else { return nil }
        self.field = field
        isDescending = parts.count == 2 && parts[1] == "desc"
    }
}
