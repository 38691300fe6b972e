import HTTPMessage
import Primitives
import Synchronization

/// What renders the answers that the server gives without a handler: the body for a status and a sentence, in JSON when
/// that is wanted, in the usual format when nothing is said.
public typealias HTTPErrorBody =
    @Sendable (_ status: Int, _ message: String, _ wantsJSON: Bool?) -> (contentType: String, body: [UInt8])

/// What is told of the answers that the server gives without a handler: whom, the status and the sentence.
public typealias HTTPRefusalObserver = @Sendable (_ source: IPAddress, _ status: Int, _ message: String) -> Void

/// An HTTP/1.1 server: one thread for its sockets, and a few on which handlers answer, so that none can stop the loop.
///
/// Make it, which binds the addresses; `start`; and `stop` at the end. It is not started again.
public final class HTTPServer: Sendable {
    /// The addresses and ports that are listened on, in the order of the settings.
    public let addresses: [SocketAddress]

    private let settings: HTTPServerSettings
    private let makeHandler: @Sendable () throws -> any HTTPHandler
    private let jobs: HTTPJobQueue
    private let answers: HTTPAnswerQueue
    private let tally = HTTPTally()
    private let loop: HTTPLoop
    private let threads = Mutex<(loop: HTTPThread?, handlers: [HTTPThread])>((nil, []))

    /// Binds the addresses. `makeHandler` is called by `start`, once for each thread.
    public init(
        settings: HTTPServerSettings, makeHandler: @escaping @Sendable () throws -> any HTTPHandler,
        errorBody: @escaping HTTPErrorBody = HTTPServer.plainErrorBody,
        refused: @escaping HTTPRefusalObserver = { _, _, _ in }
    ) throws(TransportError) {
        var listeners: [StreamSocket] = []
        for address in settings.addresses {
            do throws(SystemError) {
                listeners.append(try StreamSocket(address, isAlone: true))
            } catch {
                throw TransportError(listener: .init(transport: .tcp, address: address), cause: error)
            }
        }
        do throws(SystemError) {
            jobs = HTTPJobQueue(requestLimit: settings.queueLimit)
            answers = try HTTPAnswerQueue()
            loop = try HTTPLoop(
                settings: settings, listeners: listeners, jobs: jobs, answers: answers, tally: tally,
                errorBody: errorBody, refused: refused)
        } catch {
            throw TransportError(listener: nil, cause: error)
        }
        self.settings = settings
        self.makeHandler = makeHandler
        addresses = listeners.map(\.address)
    }

    /// Makes the handlers and starts the threads; throws what `makeHandler` does, or a `TransportError`.
    public func start() throws {
        do {
            for index in 0..<min(max(1, settings.handlerThreads), 64) {
                let handler = try makeHandler()
                try run(HTTPHandlerThread(index: index, handler: handler, jobs: jobs, answers: answers)) { thread in
                    threads.withLock { $0.handlers.append(thread) }
                }
            }
            try run(loop) { thread in threads.withLock { $0.loop = thread } }
        } catch {
            stop()
            throw error
        }
    }

    /// Stops accepting, lets running responses finish for the time of the settings, and waits for the threads, also for a
    /// handler that is still busy. Not to be called from a handler; a second call does nothing.
    public func stop() {
        let (loopThread, handlerThreads) = threads.withLock { threads in
            let running = threads
            threads = (nil, [])
            return running
        }
        loop.stop()
        loopThread?.join()
        jobs.close()
        for thread in handlerThreads { thread.join() }
    }

    /// Changes the settings of connections, of those that are open too. Addresses, threads and the queue stay as they are.
    public func replaceSettings(_ change: (inout HTTPServerSettings) -> Void) { loop.currentSettings.replace(change) }

    /// What was done until now.
    public var counters: HTTPServerCounters { tally.counters }

    /// Answers of the server itself as plain text.
    public static let plainErrorBody: HTTPErrorBody = { _, message, _ in
        ("text/plain; charset=utf-8", Array("\(message)\n".utf8))
    }

    private func run(_ body: sending HTTPThreadBody, _ keep: (HTTPThread) -> Void) throws(TransportError) {
        do throws(SystemError) {
            keep(try HTTPThread(running: body))
        } catch {
            throw TransportError(listener: nil, cause: error)
        }
    }
}
