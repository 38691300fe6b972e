import CallControl
import Observability
import Primitives

/// Where a call of a client, or of a gateway, goes that begins: the first in this order that is there.
public enum RoutingDecision {
    /// To the application of the caller, whatever it has dialled.
    case ownApplication(Application)
    /// To the devices of the client that was dialled.
    case client
    /// To the application of the number that was dialled, which its account pays for.
    case number(Application, accountID: Int64)
    /// To the outside, by a gateway.
    case gateway(number: [UInt8])
    /// Nowhere.
    case refused(Reason)

    /// One decision on the way, for people who ask why a call goes where it goes.
    public enum Step {
        /// The caller has an application that answers calls, or has none.
        case ownApplication(Bool)
        /// A client has the name that was dialled, or none has.
        case client(Bool)
        /// A number was dialled that belongs to somebody here, and an application answers it; nil when it does not.
        case number(Bool, answers: Bool)
        /// A gateway takes what was dialled: its index, nil for none.
        case gateway(Int?)

        /// The step in a sentence.
        public var text: String {
            switch self {
            case .ownApplication(true): "The caller has an application: it gets the call, whatever was dialled."
            case .ownApplication(false): "The caller has no application of its own for calls."
            case .client(true): "A client has this name: its devices ring."
            case .client(false): "No client has this name."
            case .number(false, _): "No number of this server is that."
            case .number(true, true): "It is a number of this server, which has an application: that gets the call."
            case .number(true, false): "It is a number of this server, but nothing answers its calls."
            case .gateway(let index?): "Gateway \(index + 1) of the configuration takes it."
            case .gateway(nil): "No gateway takes it."
            }
        }
    }

    /// Decides on a call.
    ///
    /// - Parameters:
    ///   - own: What answers for the caller, nil for a caller without an application.
    ///   - dialled: The user that was dialled, escapes decoded; of a number the digits.
    ///   - isClient: True when a client has that name; not asked when the caller has an application.
    ///   - directory: The applications.
    ///   - gateways: The gateways; empty for a call that comes from one.
    ///   - note: Is told each step.
    public static func decide(
        own: Application?, dialled: [UInt8], isClient: () -> Bool, directory: ApplicationDirectory,
        gateways: [Gateway], note: (Step) -> Void = { _ in }
    ) -> RoutingDecision {
        if let own, own.voice != nil {
            note(.ownApplication(true))
            return .ownApplication(own)
        }
        note(.ownApplication(false))
        let isClient = isClient()
        note(.client(isClient))
        if isClient { return .client }
        if let number = dialled.withSlice({ directory.number(dialled: $0) }) {
            let answers = number.application.voice != nil
            note(.number(true, answers: answers))
            return answers
                ? .number(number.application, accountID: number.accountID) : .refused(.numberWithoutApplication)
        }
        note(.number(false, answers: false))
        // Without any gateway there are only names that nobody has.
        if gateways.isEmpty { return .refused(.calleeUnknown) }
        if let number = dialled.withSlice({ Gateway.number($0) }), let route = gateways.routes(of: number).first {
            note(.gateway(route.gateway))
            return .gateway(number: number)
        }
        note(.gateway(nil))
        return .refused(.noGateway)
    }
}
