import CallControl
import Primitives

/// What decides on a call or text.
enum Program {
    case call(CallProgram)
    case text(TextProgram)
    /// One text that is passed on as it is; true when it has ended.
    case passing(Bool)

    /// True when nothing more will come of it.
    var isOver: Bool {
        switch self {
        case .call(let program): program.isOver
        case .text(let program): program.isOver
        case .passing(let isOver): isOver
        }
    }

    /// Takes an event.
    mutating func handle(
        _ event: CallEvent, at now: UnixTime, makeNumber: () -> RecordNumber
    ) -> [CallAction] {
        switch self {
        case .call(var program):
            defer { self = .call(program) }
            return program.handle(event, at: now, makeNumber: makeNumber)
        case .text(var program):
            defer { self = .text(program) }
            return program.handle(event, at: now, makeNumber: makeNumber)
        case .passing:
            if case .textEnded = event { self = .passing(true) }
            return []
        }
    }
}
