import Primitives

/// A SIP message as one buffer and a table of where its header fields are (RFC 3261 section 7).
///
/// Made once and parsed into again and again: it owns the table, not the bytes. All slices that it gives are parts of
/// the bytes last parsed, valid as long as these. Parsing is total: any bytes give a table, and a `Fault` when the
/// message must not be acted upon.
public struct SIPMessage: ~Copyable {
    /// The most header fields that a message may have; more is a fault.
    public static let headerCapacity = 128
    /// Places in the table: a message at the limit gets some more headers when it is forwarded, and its copy is read again
    /// for CANCEL, ACK and answers of our own.
    static let tableCapacity = headerCapacity + 32

    let fields: UnsafeMutablePointer<HeaderField>
    /// The number of header fields.
    public internal(set) var fieldCount = 0
    /// The position of the first field of each name, 255 for none. Memory of its own, as an array in the value would be
    /// copied for each look.
    let firstField: UnsafeMutablePointer<UInt8>
    static let nameCapacity = 64

    /// The whole message, trailing octets of a datagram beyond Content-Length left out.
    public internal(set) var bytes: ByteSlice = .empty
    /// The body, as long as Content-Length says, else to the end of the datagram.
    public internal(set) var body: ByteSlice = .empty
    /// True for a request.
    public internal(set) var isRequest = false
    /// The method: of the Request-Line, or of CSeq for a response.
    public internal(set) var method = Method.other
    /// The method's text.
    public internal(set) var methodText: ByteSlice = .empty
    /// The Request-URI; empty in a response.
    public internal(set) var requestURI: ByteSlice = .empty
    /// The status code; 0 in a request.
    public internal(set) var status: UInt16 = 0
    /// The reason phrase of a response.
    public internal(set) var reasonPhrase: ByteSlice = .empty
    /// The topmost Via value; empty sent-by when there is none.
    public internal(set) var topVia = Via()
    /// From, parsed.
    public internal(set) var from = NameAddress()
    /// To, parsed.
    public internal(set) var to = NameAddress()
    /// The tag of From; empty when absent.
    public internal(set) var fromTag: ByteSlice = .empty
    /// The tag of To; empty when absent.
    public internal(set) var toTag: ByteSlice = .empty
    /// Call-ID.
    public internal(set) var callID: ByteSlice = .empty
    /// The sequence number of CSeq.
    public internal(set) var sequenceNumber: UInt32 = 0
    /// Max-Forwards; nil when absent.
    public internal(set) var maxForwards: UInt8?

    /// True when a header that an answer takes over has a lone CR or LF inside.
    var hasBrokenLine = false

    /// An empty message with its table.
    public init() {
        fields = .allocate(capacity: SIPMessage.tableCapacity)
        firstField = .allocate(capacity: SIPMessage.nameCapacity)
        firstField.initialize(repeating: 255, count: SIPMessage.nameCapacity)
    }

    deinit {
        fields.deallocate()
        firstField.deallocate()
    }

    /// The header field at `index` of the table, in order of appearance.
    @inline(__always)
    public func field(_ index: Int) -> HeaderField {
        precondition(index >= 0 && index < fieldCount)
        return fields[index]
    }

    /// The value of a field: without the white space around it, folding inside left as it came.
    public func value(_ field: HeaderField) -> ByteSlice { bytes[Int(field.valueStart)..<Int(field.valueEnd)] }

    /// The name of a field as it came.
    public func name(_ field: HeaderField) -> ByteSlice { bytes[Int(field.lineStart)..<Int(field.nameEnd)] }

    /// The whole line of a field with its CRLF.
    public func line(_ field: HeaderField) -> ByteSlice { bytes[Int(field.lineStart)..<Int(field.lineEnd)] }

    /// The position in the table of the first field with this name, or nil.
    @inline(__always)
    public func firstIndex(of name: HeaderName) -> Int? {
        let index = firstField[Int(name.rawValue)]
        return index == 255 ? nil : Int(index)
    }

    /// The position in the table of the last field with this name, or nil.
    public func lastIndex(of name: HeaderName) -> Int? {
        (0..<fieldCount).last { fields[$0].name == name }
    }

    /// The value of the first field with this name, or nil.
    public func value(of name: HeaderName) -> ByteSlice? {
        guard let index = firstIndex(of: name) else { return nil }
        return value(fields[index])
    }

    /// All values of a header in order, comma-separated ones split (RFC 3261 7.3.1).
    public func values(of name: HeaderName) -> HeaderValues { HeaderValues(name, firstIndex(of: name) ?? fieldCount) }

    /// True when the message, though it may be faulty, has what an answer needs: a Via to send it to, a CSeq to match it
    /// by (17.1.3), and no lone CR or LF in what the answer would take over.
    public var isAnswerable: Bool {
        isRequest && method != .ack && !topVia.host.isEmpty && firstIndex(of: .cSeq) != nil && !hasBrokenLine
    }
}
