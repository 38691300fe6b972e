import Primitives

/// A SIP method. Methods that we do not know are relayed like any other; their text is in the message.
public enum Method: UInt8, Sendable {
    case other = 0
    case invite, ack, bye, cancel, register, options, message, info, update, prack, refer, subscribe, notify, publish

    /// The method with this text, compared with case as RFC 3261 7.1 demands; `.other` for any unknown one.
    public init(_ text: ByteSlice) {
        switch text.count {
        case 3: self = text == "ACK" ? .ack : text == "BYE" ? .bye : .other
        case 4: self = text == "INFO" ? .info : .other
        case 5: self = text == "PRACK" ? .prack : text == "REFER" ? .refer : .other
        case 6: self = text == "INVITE" ? .invite : text == "CANCEL" ? .cancel : Method(six: text)
        case 7:
            self = text == "MESSAGE" ? .message : text == "OPTIONS" ? .options : text == "PUBLISH" ? .publish : .other
        case 8: self = text == "REGISTER" ? .register : .other
        case 9: self = text == "SUBSCRIBE" ? .subscribe : .other
        default: self = .other
        }
    }

    private init(six text: ByteSlice) { self = text == "UPDATE" ? .update : text == "NOTIFY" ? .notify : .other }

    /// The method's name; empty for `.other`.
    public var name: ByteSlice {
        switch self {
        case .other: ""
        case .invite: "INVITE"
        case .ack: "ACK"
        case .bye: "BYE"
        case .cancel: "CANCEL"
        case .register: "REGISTER"
        case .options: "OPTIONS"
        case .message: "MESSAGE"
        case .info: "INFO"
        case .update: "UPDATE"
        case .prack: "PRACK"
        case .refer: "REFER"
        case .subscribe: "SUBSCRIBE"
        case .notify: "NOTIFY"
        case .publish: "PUBLISH"
        }
    }
}
