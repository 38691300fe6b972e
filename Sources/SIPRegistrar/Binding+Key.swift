import Primitives
import SIPMessage

/// Which binding it is: for the store, and for matching the Contacts of a REGISTER.
extension Binding {
    /// What tells the binding from the client's others: instance-id and reg-id, else the contact URI in a normal form.
    ///
    /// Two bindings with the same key are equivalent (RFC 3261 19.1.4); equivalent contacts may have different keys, so
    /// one that replaces the other has the old key deleted.
    public var key: [UInt8] {
        withText { text in
            var writer = ByteWriter(capacity: 256)
            if text.instance.isEmpty {
                writer.append(normalised: text.contact)
            } else {
                writer.append(text.instance)
                writer.append(";")
                writer.append(decimal: UInt64(registrationID))
            }
            return writer.slice.bytes
        }
    }

    /// True when a Contact of a REGISTER means this binding.
    ///
    /// RFC 5626 section 6: by instance-id and reg-id when the Contact has an instance-id (here also without reg-id: a
    /// device that comes back with another port replaces its old binding). Else, and against a binding without
    /// instance-id, by comparison of the URIs (RFC 3261 19.1.4).
    func matches(contact: ByteSlice, instance: ByteSlice, registrationID: UInt32) -> Bool {
        withText { text in
            if !instance.isEmpty, !text.instance.isEmpty {
                return text.instance == instance && self.registrationID == registrationID
            }
            if text.contact == contact { return true }
            guard let left = SIPURI(text.contact), let right = SIPURI(contact) else { return false }
            return left.isEquivalent(to: right)
        }
    }
}

extension ByteWriter {
    /// Appends a SIP URI in the form in which equal texts mean equivalent URIs: user escaped where it need not be plain,
    /// the rest in lower case but for the headers. Another URI is appended as it is.
    mutating func append(normalised text: ByteSlice) {
        guard let uri = SIPURI(text) else { return append(text) }
        append(uri.isSecure ? "sips:" as ByteSlice : "sip:")
        if uri.hasUser {
            append(escaped: uri.user)
            if let password = uri.password {
                append(byte: UInt8(ascii: ":"))
                append(escaped: password)
            }
            append(byte: UInt8(ascii: "@"))
        }
        append(lowercased: uri.host)
        if let port = uri.port {
            append(byte: UInt8(ascii: ":"))
            append(decimal: UInt64(port))
        }
        append(lowercased: uri.parameters.text)
        if !uri.headers.isEmpty {
            append(byte: UInt8(ascii: "?"))
            append(uri.headers)
        }
    }

    private mutating func append(lowercased text: ByteSlice) {
        for index in 0..<text.count { append(byte: ASCII.lowercase(text[index])) }
    }

    /// Appends with every byte escaped that is not `unreserved`, whether it was escaped before or not.
    public mutating func append(escaped text: ByteSlice) {
        var index = 0
        while index < text.count {
            let (byte, length) = text.unescapedByte(at: index)
            if ASCII.isUnreserved(byte) {
                append(byte: byte)
            } else {
                append(byte: UInt8(ascii: "%"))
                append(hexadecimal: UInt64(byte), digits: 2)
            }
            index += length
        }
    }
}
