import Primitives

/// A SIP message as one buffer and a table of where its header fields are (RFC 3261 section 7).
///
/// Made once and parsed into again and again: it owns the table, not the bytes. All slices that it gives are parts of
/// the bytes last parsed, valid as long as these. Parsing is total: any bytes give a table, and a `Fault` when the
/// message must not be acted upon.
public struct SIPMessage: ~Copyable {
    /// The most header fields that a message may have; more is a fault.
    public static let headerCapacity = 128

    private let fields: UnsafeMutablePointer<HeaderField>
    /// The number of header fields.
    public private(set) var fieldCount = 0
    private var firstField = InlineArray<64, UInt8>(repeating: 255)

    /// The whole message, trailing octets of a datagram beyond Content-Length left out.
    public private(set) var bytes: ByteSlice = .empty
    /// The body, as long as Content-Length says, else to the end of the datagram.
    public private(set) var body: ByteSlice = .empty
    /// True for a request.
    public private(set) var isRequest = false
    /// The method: of the Request-Line, or of CSeq for a response.
    public private(set) var method = Method.other
    /// The method's text.
    public private(set) var methodText: ByteSlice = .empty
    /// The Request-URI; empty in a response.
    public private(set) var requestURI: ByteSlice = .empty
    /// The status code; 0 in a request.
    public private(set) var status: UInt16 = 0
    /// The reason phrase of a response.
    public private(set) var reasonPhrase: ByteSlice = .empty
    /// The topmost Via value; empty sent-by when there is none.
    public private(set) var topVia = Via()
    /// From, parsed.
    public private(set) var from = NameAddress()
    /// To, parsed.
    public private(set) var to = NameAddress()
    /// The tag of From; empty when absent.
    public private(set) var fromTag: ByteSlice = .empty
    /// The tag of To; empty when absent.
    public private(set) var toTag: ByteSlice = .empty
    /// Call-ID.
    public private(set) var callID: ByteSlice = .empty
    /// The sequence number of CSeq.
    public private(set) var sequenceNumber: UInt32 = 0
    /// Max-Forwards; nil when absent.
    public private(set) var maxForwards: UInt8?

    /// An empty message with its table.
    public init() { fields = .allocate(capacity: SIPMessage.headerCapacity) }

    deinit { fields.deallocate() }

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

    /// True when the message, though it may be faulty, has what an answer needs: Via, From, To, Call-ID and CSeq.
    public var isAnswerable: Bool {
        isRequest && method != .ack && !topVia.host.isEmpty && firstIndex(of: .from) != nil
            && firstIndex(of: .to) != nil && firstIndex(of: .callID) != nil && firstIndex(of: .cSeq) != nil
    }

    // MARK: Parsing

    /// Reads a message, which must stay valid while this value is used.
    ///
    /// - Parameter isStream: On a stream Content-Length is required (RFC 3261 20.14).
    /// - Returns: The first fault found, or nil for a message that may be acted upon.
    public mutating func parse(_ message: ByteSlice, isStream: Bool = false) -> Fault? {
        clear()
        var start = 0
        // 7.5: leading empty lines are ignored.
        while start + 1 < message.count, message[start] == 13, message[start + 1] == 10 { start += 2 }
        bytes = message.from(start)
        var fault: Fault?
        guard let startLineEnd = bytes.firstIndex(of: ASCII.lineFeed), startLineEnd > 0 else { return .notSIP }
        if bytes[startLineEnd - 1] != ASCII.carriageReturn { return .lineBreak }
        if let found = parseStartLine(bytes[0..<startLineEnd - 1]) {
            if found == .notSIP { return found }
            fault = found
        }
        let bodyStart = parseFields(from: startLineEnd + 1, &fault)
        let found = parseEssentials()
        fault = fault ?? found
        let bodyFault = takeBody(from: bodyStart, isStream: isStream)
        return fault ?? bodyFault
    }

    private mutating func clear() {
        fieldCount = 0
        firstField = InlineArray<64, UInt8>(repeating: 255)
        body = .empty
        topVia = Via()
        from = NameAddress()
        to = NameAddress()
        fromTag = .empty
        toTag = .empty
        callID = .empty
        sequenceNumber = 0
        maxForwards = nil
        status = 0
        requestURI = .empty
        reasonPhrase = .empty
    }

    /// Request-Line = Method SP Request-URI SP SIP-Version; Status-Line = SIP-Version SP Status-Code SP Reason-Phrase.
    private mutating func parseStartLine(_ line: ByteSlice) -> Fault? {
        if line.starts(with: "SIP/") {
            isRequest = false
            method = .other
            methodText = .empty
            guard line.starts(with: "SIP/2.0 "), line.count >= 12, line[11] == ASCII.space || line.count == 11,
                let code = line[8..<11].decimal(limit: 699), code >= 100
            else { return .statusLine }
            status = UInt16(code)
            reasonPhrase = line.from(12)
            return nil
        }
        isRequest = true
        guard let methodEnd = line.firstIndex(of: ASCII.space), methodEnd > 0 else { return .notSIP }
        methodText = line[0..<methodEnd]
        method = Method(methodText)
        guard methodText.allSatisfy(ASCII.isToken) else { return .notSIP }
        guard let versionStart = line.lastIndex(of: ASCII.space) else { return .notSIP }
        let version = line.from(versionStart + 1)
        if versionStart > methodEnd { requestURI = line[methodEnd + 1..<versionStart] }
        guard version.starts(withIgnoringCase: "SIP/") else {
            return line.containsIgnoringCase(" SIP/") ? .requestLine : .notSIP
        }
        if requestURI.isEmpty || requestURI.firstIndex(of: ASCII.space) != nil || requestURI.firstIndex(of: 9) != nil {
            return .requestLine
        }
        // 7.1: the version is compared without case.
        if !version.equalsIgnoringCase("SIP/2.0") { return .version }
        return nil
    }

    /// Fills the table; gives the offset of the body.
    private mutating func parseFields(from start: Int, _ fault: inout Fault?) -> Int {
        var position = start
        while position < bytes.count {
            if bytes[position] == ASCII.carriageReturn, position + 1 < bytes.count,
                bytes[position + 1] == ASCII.lineFeed
            {
                return position + 2
            }
            let lineStart = position
            var lineEnd = 0
            // A line goes on where the next one begins with white space (7.3.1).
            while true {
                guard let lineBreak = bytes.firstLineBreak(from: position), lineBreak + 1 < bytes.count else {
                    fault = fault ?? .missingEnd
                    return bytes.count
                }
                guard bytes[lineBreak] == ASCII.carriageReturn, bytes[lineBreak + 1] == ASCII.lineFeed else {
                    // A lone CR or LF: what a lenient peer might take for the end of a line must not pass.
                    fault = fault ?? .lineBreak
                    position = lineBreak + 1
                    continue
                }
                position = lineBreak + 2
                lineEnd = lineBreak
                if position >= bytes.count || (bytes[position] != ASCII.space && bytes[position] != ASCII.tab) { break }
            }
            guard addField(bytes[lineStart..<lineEnd], at: lineStart, lineEnd: position, &fault) else {
                return bytes.count
            }
        }
        fault = fault ?? .missingEnd
        return bytes.count
    }

    /// Adds one header line to the table; false when the table is full.
    private mutating func addField(_ line: ByteSlice, at offset: Int, lineEnd: Int, _ fault: inout Fault?) -> Bool {
        var nameEnd = 0
        while nameEnd < line.count, ASCII.isToken(line[nameEnd]) { nameEnd += 1 }
        var colon = nameEnd
        while colon < line.count, line[colon] == ASCII.space || line[colon] == ASCII.tab { colon += 1 }
        guard nameEnd > 0, colon < line.count, line[colon] == UInt8(ascii: ":") else {
            fault = fault ?? .headerName
            return true
        }
        if fieldCount == SIPMessage.headerCapacity {
            fault = fault ?? .tooManyHeaders
            return false
        }
        let name = HeaderName(line[0..<nameEnd])
        let value = line.from(colon + 1).trimmed()
        let valueStart = value.isEmpty ? offset + colon + 1 : value.offset(in: bytes)
        fields[fieldCount] = HeaderField(
            name: name, lineStart: UInt32(offset), nameEnd: UInt32(offset + nameEnd),
            valueStart: UInt32(valueStart), valueEnd: UInt32(valueStart + value.count), lineEnd: UInt32(lineEnd))
        if firstField[Int(name.rawValue)] == 255 {
            firstField[Int(name.rawValue)] = UInt8(fieldCount)
        } else {
            switch name {
            case .from, .to, .callID, .cSeq, .maxForwards, .contentLength, .contentType, .expires:
                fault = fault ?? .repeatedHeader
            default: break
            }
        }
        fieldCount += 1
        return true
    }

    /// Reads what every message must have (RFC 3261 8.1.1, 16.3 step 1).
    private mutating func parseEssentials() -> Fault? {
        var fault: Fault?
        if let value = value(of: .via) {
            if let via = Via(firstOf: value) { topVia = via } else { fault = .malformedVia }
        } else {
            fault = .missingVia
        }
        if let value = value(of: .from) {
            if let address = NameAddress(value) { from = address } else { fault = fault ?? .malformedFrom }
        } else {
            fault = fault ?? .missingFrom
        }
        if let value = value(of: .to) {
            if let address = NameAddress(value) { to = address } else { fault = fault ?? .malformedTo }
        } else {
            fault = fault ?? .missingTo
        }
        fromTag = from.parameters["tag"] ?? .empty
        toTag = to.parameters["tag"] ?? .empty
        if let value = value(of: .callID) {
            callID = value
            if value.isEmpty || !value.allSatisfy({ ASCII.isWord($0) || $0 == UInt8(ascii: "@") }) {
                fault = fault ?? .malformedCallID
            }
        } else {
            fault = fault ?? .missingCallID
        }
        return parseSequenceAndHops() ?? fault
    }

    private mutating func parseSequenceAndHops() -> Fault? {
        var fault: Fault?
        if let value = value(of: .cSeq) {
            if let sequence = CSeq(value) {
                sequenceNumber = sequence.number
                if isRequest {
                    if sequence.method != methodText { fault = .methodMismatch }
                } else {
                    methodText = sequence.method
                    method = Method(sequence.method)
                }
            } else {
                fault = .malformedCSeq
            }
        } else {
            fault = .missingCSeq
        }
        if let value = value(of: .maxForwards) {
            if let hops = value.decimal(limit: 255) {
                maxForwards = UInt8(hops)
            } else {
                fault = fault ?? .malformedMaxForwards
            }
        }
        return fault
    }

    /// Cuts the body at Content-Length (18.3).
    private mutating func takeBody(from start: Int, isStream: Bool) -> Fault? {
        body = bytes.from(start)
        guard let value = value(of: .contentLength) else { return isStream ? .missingContentLength : nil }
        guard let length = value.decimal(limit: 0x7fff_ffff) else { return .malformedContentLength }
        if Int(length) > body.count { return .bodyShort }
        body = body.prefix(Int(length))
        bytes = bytes.prefix(start + Int(length))
        return nil
    }
}

extension ByteSlice {
    /// The index of the first CR or LF at or after `start`.
    @inlinable
    func firstLineBreak(from start: Int) -> Int? {
        var index = start
        while index < count {
            let byte = self[index]
            if byte <= 13, byte == 13 || byte == 10 { return index }
            index &+= 1
        }
        return nil
    }
}
