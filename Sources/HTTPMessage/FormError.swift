/// Why the fields of a form or a query cannot be had.
public enum FormError: Error, Hashable, Sendable {
    /// The body is of another type than `application/x-www-form-urlencoded`; the answer is 415.
    case unsupportedType
    /// The form is said to be in another character set than UTF-8; the answer is 415.
    case unsupportedCharacterSet
    /// A percent sign without two hexadecimal digits; the answer is 400.
    case invalidEscape
    /// Bytes that are not UTF-8; the answer is 400.
    case invalidText
    /// More fields than are allowed; the answer is 400.
    case tooManyFields

    /// The status of the answer.
    public var status: Int {
        switch self {
        case .unsupportedType, .unsupportedCharacterSet: 415
        case .invalidEscape, .invalidText, .tooManyFields: 400
        }
    }

    /// A sentence for the sender.
    public var message: String {
        switch self {
        case .unsupportedType: "The body must be application/x-www-form-urlencoded."
        case .unsupportedCharacterSet: "The form must be in UTF-8."
        case .invalidEscape: "A percent sign must be followed by two hexadecimal digits."
        case .invalidText: "A field is not in UTF-8."
        case .tooManyFields: "There are too many fields."
        }
    }
}
