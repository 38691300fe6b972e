import Primitives

extension HTTPRequest {
    /// The fields of the body when that is a form, none when there is no body. At most 200.
    ///
    /// A body of another type, or of none, is an error, as is a `charset` that is not UTF-8.
    public var form: FormFields {
        get throws(FormError) {
            if body.isEmpty { return FormFields() }
            guard let type = headers["Content-Type"] else { throw .unsupportedType }
            if let error = type.withSlice(Self.fault(ofFormType:)) { throw error }
            let result = body.withSlice { text -> Result<FormFields, FormError> in
                do throws(FormError) {
                    return .success(try FormFields(parsing: text))
                } catch {
                    return .failure(error)
                }
            }
            return try result.get()
        }
    }

    /// What is wrong with the type of a form (RFC 9110 section 8.3.1), nil for nothing.
    private static func fault(ofFormType type: ByteSlice) -> FormError? {
        var end = type.firstIndex(of: UInt8(ascii: ";")) ?? type.count
        guard type.prefix(end).trimmed().equalsIgnoringCase("application/x-www-form-urlencoded") else {
            return .unsupportedType
        }
        while end < type.count {
            let start = end + 1
            end = type.firstIndex(of: UInt8(ascii: ";"), from: start) ?? type.count
            let parameter = type[start..<end]
            guard let equals = parameter.firstIndex(of: UInt8(ascii: "=")),
                parameter.prefix(equals).trimmed().equalsIgnoringCase("charset")
            else { continue }
            var value = parameter.from(equals + 1).trimmed()
            if value.count >= 2, value.first == UInt8(ascii: "\""), value.last == UInt8(ascii: "\"") {
                value = value[1..<value.count - 1]
            }
            // ASCII is a part of UTF-8.
            guard ["utf-8", "utf8", "us-ascii"].contains(where: value.equalsIgnoringCase) else {
                return .unsupportedCharacterSet
            }
        }
        return nil
    }
}
