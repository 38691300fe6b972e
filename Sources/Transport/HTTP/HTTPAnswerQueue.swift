import Synchronization

/// The answers that wait for the loop, with a knock that ends its waiting.
final class HTTPAnswerQueue: Sendable {
    private let answers = Mutex<[HTTPAnswer]>([])
    private let mailbox: Mailbox

    /// The number to watch, edge-triggered: it is never read, each knock is an event of its own.
    var number: Int32 { mailbox.number }

    /// An empty queue.
    init() throws(SystemError) { mailbox = try Mailbox() }

    /// Leaves an answer.
    func post(_ answer: HTTPAnswer) {
        let wasEmpty = answers.withLock { answers in
            answers.append(answer)
            return answers.count == 1
        }
        // Who found others there knows that the loop has been knocked for.
        if wasEmpty { wake() }
    }

    /// Ends the loop's waiting.
    func wake() { mailbox.wake() }

    /// Takes the answers out.
    func take() -> [HTTPAnswer] {
        answers.withLock { answers in
            let taken = answers
            answers = []
            return taken
        }
    }
}
