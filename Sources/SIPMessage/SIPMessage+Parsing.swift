import Primitives

extension SIPMessage {
    /// Reads a message, which must stay valid while this value is used.
    ///
    /// - Parameter isStream: On a stream Content-Length is required (RFC 3261 20.14).
    /// - Returns: The first fault found, or nil for a message that may be acted upon.
    public mutating func parse(_ message: ByteSlice, isStream: Bool = false) -> Fault? {
        clear()
        // The table's offsets are 32 bits wide; no transport takes a message near that.
        if message.count > 0x7fff_ffff { return .tooLarge }
        var start = 0
        // 7.5: leading empty lines are ignored.
        while start + 1 < message.count, message[start] == 13, message[start + 1] == 10 { start += 2 }
        bytes = message.from(start)
        var fault: Fault?
        guard let lineEnd = bytes.firstIndex(of: ASCII.lineFeed, or: ASCII.carriageReturn), lineEnd > 0 else {
            return .notSIP
        }
        guard bytes[lineEnd] == ASCII.carriageReturn, lineEnd + 1 < bytes.count, bytes[lineEnd + 1] == ASCII.lineFeed
        else { return .lineBreak }
        if let found = parseStartLine(bytes[0..<lineEnd]) {
            if found == .notSIP { return found }
            fault = found
        }
        let bodyStart = parseFields(from: lineEnd + 2, &fault)
        let found = parseEssentials()
        fault = fault ?? found
        let bodyFault = takeBody(from: bodyStart, isStream: isStream)
        return fault ?? bodyFault
    }

    private mutating func clear() {
        bytes = .empty
        fieldCount = 0
        firstField.update(repeating: 255, count: SIPMessage.nameCapacity)
        hasBrokenLine = false
        body = .empty
        isRequest = false
        method = .other
        methodText = .empty
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
        // 7.1: the version is compared without case.
        if line.starts(withIgnoringCase: "SIP/") {
            // The space behind the code is demanded by the grammar, and forgotten by some when the phrase is empty.
            guard line.starts(withIgnoringCase: "SIP/2.0 "), line.count == 11 || line.count > 11 && line[11] == 32,
                let code = line[8..<11].decimal(limit: 699), code >= 100
            else { return .statusLine }
            status = UInt16(code)
            reasonPhrase = line.from(12)
            return nil
        }
        guard let methodEnd = line.firstIndex(of: ASCII.space), methodEnd > 0,
            line[0..<methodEnd].allSatisfy(ASCII.isToken), let versionStart = line.lastIndex(of: ASCII.space)
        else { return .notSIP }
        let version = line.from(versionStart + 1)
        guard version.starts(withIgnoringCase: "SIP/") || line.containsIgnoringCase(" SIP/") else { return .notSIP }
        isRequest = true
        methodText = line[0..<methodEnd]
        method = Method(methodText)
        if versionStart > methodEnd { requestURI = line[methodEnd + 1..<versionStart] }
        guard version.starts(withIgnoringCase: "SIP/"), !requestURI.isEmpty,
            requestURI.firstIndex(of: ASCII.space, or: ASCII.tab) == nil
        else { return .requestLine }
        if !version.equalsIgnoringCase("SIP/2.0") { return .version }
        return requestURI.isAbsoluteURI ? nil : .malformedRequestURI
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
            var isBroken = false
            // A line goes on where the next one begins with white space (7.3.1).
            while true {
                guard let lineBreak = bytes.firstIndex(of: ASCII.lineFeed, or: ASCII.carriageReturn, from: position),
                    lineBreak + 1 < bytes.count
                else {
                    fault = fault ?? .missingEnd
                    return bytes.count
                }
                guard bytes[lineBreak] == ASCII.carriageReturn, bytes[lineBreak + 1] == ASCII.lineFeed else {
                    // A lone CR or LF: what a lenient peer might take for the end of a line must not pass.
                    fault = fault ?? .lineBreak
                    isBroken = true
                    position = lineBreak + 1
                    continue
                }
                position = lineBreak + 2
                lineEnd = lineBreak
                if position >= bytes.count || (bytes[position] != ASCII.space && bytes[position] != ASCII.tab) { break }
            }
            let line = bytes[lineStart..<lineEnd]
            guard addField(line, at: lineStart, lineEnd: position, isBroken: isBroken, &fault) else {
                return bytes.count
            }
        }
        fault = fault ?? .missingEnd
        return bytes.count
    }

    /// Adds one header line to the table; false when the table is full.
    private mutating func addField(
        _ line: ByteSlice, at offset: Int, lineEnd: Int, isBroken: Bool, _ fault: inout Fault?
    ) -> Bool {
        var nameEnd = 0
        while nameEnd < line.count, ASCII.isToken(line[nameEnd]) { nameEnd += 1 }
        var colon = nameEnd
        while colon < line.count, line[colon] == ASCII.space || line[colon] == ASCII.tab { colon += 1 }
        guard nameEnd > 0, colon < line.count, line[colon] == UInt8(ascii: ":") else {
            fault = fault ?? .headerName
            return true
        }
        if fieldCount >= SIPMessage.headerCapacity { fault = fault ?? .tooManyHeaders }
        if fieldCount == SIPMessage.tableCapacity { return false }
        let name = HeaderName(line[0..<nameEnd])
        let value = line.from(colon + 1).trimmed()
        let valueStart = value.isEmpty ? offset + colon + 1 : value.offset(in: bytes)
        fields[fieldCount] = HeaderField(
            name: name, lineStart: UInt32(offset), nameEnd: UInt32(offset + nameEnd),
            valueStart: UInt32(valueStart), valueEnd: UInt32(valueStart + value.count), lineEnd: UInt32(lineEnd))
        if isBroken, name.isTakenOverByResponses { hasBrokenLine = true }
        if firstField[Int(name.rawValue)] == 255 {
            firstField[Int(name.rawValue)] = UInt8(fieldCount)
        } else if name.isSingle {
            fault = fault ?? .repeatedHeader
        }
        fieldCount += 1
        return true
    }

    /// Reads what every message must have (RFC 3261 8.1.1, 16.3 step 1).
    private mutating func parseEssentials() -> Fault? {
        var fault: Fault?
        if let value = value(of: .via) {
            if let (via, isValid) = Via.read(value) {
                // A faulty Via is kept when an answer could be sent to it.
                topVia = via
                if !isValid { fault = .malformedVia }
            } else {
                fault = .malformedVia
            }
        } else {
            fault = .missingVia
        }
        if let value = value(of: .from) {
            if let address = NameAddress(value), address.tag?.isEmpty != true {
                from = address
                fromTag = address.tag ?? .empty
            } else {
                fault = fault ?? .malformedFrom
            }
        } else {
            fault = fault ?? .missingFrom
        }
        if let value = value(of: .to) {
            if let address = NameAddress(value), address.tag?.isEmpty != true {
                to = address
                toTag = address.tag ?? .empty
            } else {
                fault = fault ?? .malformedTo
            }
        } else {
            fault = fault ?? .missingTo
        }
        if let value = value(of: .callID) {
            callID = value
            // Wider than the grammar's word: base64 makes `=`, and what stands here means nothing to us.
            if value.isEmpty || !value.allSatisfy({ $0 > ASCII.space && $0 < 127 }) {
                fault = fault ?? .malformedCallID
            }
        } else {
            fault = fault ?? .missingCallID
        }
        let found = parseSequenceAndHops()
        return fault ?? found
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

extension HeaderName {
    /// True for a header of which two leave open what the message means; the one line must be the only one.
    fileprivate var isSingle: Bool {
        switch self {
        case .from, .to, .callID, .cSeq, .maxForwards, .contentLength, .contentType, .expires, .maxBreadth: true
        default: false
        }
    }

    /// True for a header that a response copies from its request (8.2.6.2).
    fileprivate var isTakenOverByResponses: Bool {
        switch self {
        case .via, .from, .to, .callID, .cSeq, .timestamp: true
        default: false
        }
    }
}
