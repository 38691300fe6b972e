import Primitives
import SIPMessage

/// One Contact of a REGISTER, as slices of the request.
struct RegisterContact {
    /// The URI.
    var uri: ByteSlice = .empty
    /// The instance-id; empty for none.
    var instance: ByteSlice = .empty
    /// The reg-id; 0 for none.
    var registrationID: UInt32 = 0
    /// The preference in thousandths.
    var q: UInt16 = 1000
    /// The seconds granted; 0 to remove.
    var expires: UInt32 = 0
}

/// What a REGISTER asks for: the Contacts read and checked, each with the time that it is granted (RFC 3261 10.3 step 6
/// and the first half of step 7).
struct RegisterContacts {
    /// The most Contacts in one request.
    static let limit = 16

    private var first = RegisterContact()
    // Nearly always empty, and then nothing is allocated or copied.
    private var others: [RegisterContact] = []
    /// The number of Contacts, 0 for a query and for `*`.
    private(set) var count = 0
    /// True for `Contact: *` with `Expires: 0`: all bindings are to be removed.
    private(set) var removesAll = false

    /// True when the client only asks for its bindings.
    var isQuery: Bool { count == 0 && !removesAll }

    /// The Contact at `index`, below `count`.
    subscript(index: Int) -> RegisterContact { index == 0 ? first : others[index - 1] }

    /// Reads all Contacts; any fault in one refuses all.
    init(_ request: borrowing SIPMessage, _ policy: RegistrarPolicy) throws(Refusal) {
        guard request.firstIndex(of: .contact) != nil else { return }
        let usual = request.value(of: .expires).map { Self.seconds($0) } ?? policy.defaultExpires
        var hasOutbound: Bool?
        var flows = 0
        var values = request.values(of: .contact)
        while let value = values.next(in: request) {
            if removesAll { throw Refusal(.starMisused) }
            if value == "*" {
                // 10.3 step 6: only alone, and only with an Expires of 0.
                guard count == 0, request.expires?.seconds == 0 else { throw Refusal(.starMisused) }
                removesAll = true
                continue
            }
            guard count < Self.limit else { throw Refusal(.badContact) }
            var contact = try Self.contact(value, usual: usual, policy)
            if contact.registrationID > 0 {
                let isOutbound = hasOutbound ?? Self.supportsOutbound(request)
                hasOutbound = isOutbound
                // RFC 5626 section 6: without the option tag the reg-id is ignored.
                if !isOutbound { contact.registrationID = 0 }
                // Section 4.2.1: one flow a request.
                if isOutbound, contact.expires > 0 { flows += 1 }
                if flows > 1 { throw Refusal(.badContact) }
            }
            if count == 0 { first = contact } else { others.append(contact) }
            count += 1
        }
    }

    /// True when the Contacts make a flow of RFC 5626.
    var isOutbound: Bool {
        for index in 0..<count where self[index].registrationID > 0 && self[index].expires > 0 { return true }
        return false
    }

    private static func supportsOutbound(_ request: borrowing SIPMessage) -> Bool {
        OptionTag.isNamed("outbound", by: .supported, in: request)
            || OptionTag.isNamed("outbound", by: .require, in: request)
    }

    private static func contact(
        _ value: ByteSlice, usual: UInt32, _ policy: RegistrarPolicy
    ) throws(Refusal) -> RegisterContact {
        guard let address = NameAddress(value), address.uri.count <= Binding.contactLimit,
            // Nothing could be sent there as sips demands: without TLS its promise would be broken silently.
            let uri = SIPURI(address.uri), !uri.isSecure
        else { throw Refusal(.badContact) }
        var contact = RegisterContact(uri: address.uri)
        var expires = usual
        var offset = 0
        while let parameter = address.parameters.next(from: &offset) {
            let name = parameter.name
            if name.equalsIgnoringCase("expires") {
                expires = seconds(parameter.value)
            } else if name.equalsIgnoringCase("q") {
                contact.q = thousandths(parameter.value) ?? 1000
            } else if name.equalsIgnoringCase("+sip.instance") {
                guard parameter.value.count <= Binding.instanceLimit,
                    parameter.value.allSatisfy({ $0 > ASCII.space && $0 < 127 })
                else { throw Refusal(.badContact) }
                contact.instance = parameter.value
            } else if name.equalsIgnoringCase("reg-id") {
                // RFC 5626 section 4.2: from 1 to 2^31 - 1.
                guard let number = parameter.value.decimal(limit: 0x7fff_ffff), number > 0 else {
                    throw Refusal(.badContact)
                }
                contact.registrationID = UInt32(number)
            }
        }
        // RFC 5626 section 6: a reg-id without instance-id is ignored.
        if contact.instance.isEmpty { contact.registrationID = 0 }
        contact.expires = try granted(expires, policy)
        return contact
    }

    /// The time granted for a time asked for (10.3 step 7).
    private static func granted(_ seconds: UInt32, _ policy: RegistrarPolicy) throws(Refusal) -> UInt32 {
        if seconds == 0 { return 0 }
        // A registrar may call brief only what is below an hour.
        if seconds < policy.minExpires, seconds < 3600 {
            throw Refusal(.intervalTooBrief, .minExpires(policy.minExpires))
        }
        return min(seconds, policy.maxExpires)
    }

    /// A number of seconds. RFC 3261 20.10 and 10.2.1.1: a malformed one is equivalent to 3600.
    private static func seconds(_ text: ByteSlice) -> UInt32 { DeltaSeconds(text)?.seconds ?? 3600 }

    /// A q value of at most three decimals (RFC 3261 25.1, `qvalue`); nil when malformed.
    private static func thousandths(_ text: ByteSlice) -> UInt16? {
        guard let first = text.first, first == UInt8(ascii: "0") || first == UInt8(ascii: "1") else { return nil }
        var value = UInt16(first & 1) * 1000
        if text.count > 1 {
            guard text[1] == UInt8(ascii: "."), text.count <= 5, text.from(2).allSatisfy(ASCII.isDigit) else {
                return nil
            }
            var weight: UInt16 = 100
            for index in 2..<text.count {
                value += UInt16(text[index] & 15) * weight
                weight /= 10
            }
        }
        return value <= 1000 ? value : nil
    }
}
