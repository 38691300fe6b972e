import Glibc
import Primitives
import Synchronization

/// The network edge: the listeners, and a loop for each worker.
///
/// Open it, set each loop's delegate, `start`, and `stop` at the end.
public final class Transport: Sendable {
    /// The open listeners with their concrete addresses; a flow's `listener` is an index into them.
    public let listeners: [Listener]
    /// The loops, one for each worker.
    public let loops: [EventLoop]

    private let table: ConnectionTable
    private let counts: [LoopCounters]
    private let sockets: [[DatagramSocket?]]
    private let threads = Mutex<[pthread_t]>([])

    /// Opens the listeners for a number of workers (1 to 64).
    ///
    /// 0.0.0.0 and :: become one listener for each address of the machine. A port 0 becomes any free port.
    public init(
        listeners configurations: [ListenerConfiguration], workers: Int, limits: TransportLimits = TransportLimits()
    ) throws(TransportError) {
        let workers = min(max(1, workers), 64)
        var listeners: [Listener] = []
        var datagramSockets = [[DatagramSocket?]](repeating: [], count: workers)
        var streamSockets = [[StreamSocket?]](repeating: [], count: workers)
        for configuration in try Self.expand(configurations) {
            do throws(SystemError) {
                try Self.probe(configuration)
                var address = configuration.address
                for worker in 0..<workers {
                    // The first worker's socket chooses the port when the configuration leaves it open.
                    let datagrams = configuration.transport == .udp ? try DatagramSocket(address) : nil
                    let streams = configuration.transport == .tcp ? try StreamSocket(address) : nil
                    address = datagrams?.address ?? streams?.address ?? address
                    datagramSockets[worker].append(datagrams)
                    streamSockets[worker].append(streams)
                }
                listeners.append(
                    Listener(index: UInt16(listeners.count), transport: configuration.transport, address: address))
            } catch {
                throw TransportError(listener: configuration, cause: error)
            }
        }
        do throws(SystemError) {
            var owners: [ConnectionOwner] = []
            for worker in 0..<workers { owners.append(try ConnectionOwner(index: worker)) }
            table = ConnectionTable(owners: owners, listeners: listeners, limits: limits)
            counts = (0..<workers).map { _ in LoopCounters() }
            var loops: [EventLoop] = []
            for worker in 0..<workers {
                loops.append(
                    try EventLoop(
                        index: worker, datagramSockets: datagramSockets[worker], streamSockets: streamSockets[worker],
                        table: table, counters: counts[worker]))
            }
            self.loops = loops
        } catch {
            throw TransportError(listener: nil, cause: error)
        }
        self.listeners = listeners
        sockets = datagramSockets
    }

    /// Starts the loops' threads, named `sip-0` and so on. All signals stay with the other threads of the process.
    public func start() throws(TransportError) {
        var all = sigset_t()
        var before = sigset_t()
        sigfillset(&all)
        pthread_sigmask(SIG_SETMASK, &all, &before)
        defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
        for loop in loops {
            var thread = pthread_t()
            let box = Unmanaged.passRetained(loop)
            let result = pthread_create(&thread, nil, runLoop, box.toOpaque())
            if result != 0 {
                box.release()
                throw TransportError(listener: nil, cause: SystemError(result, "pthread_create"))
            }
            threads.withLock { $0.append(thread) }
        }
    }

    /// Ends the loops and waits for their threads. Not to be called from one of them; a second call does nothing.
    public func stop() {
        for loop in loops { loop.stop() }
        let running = threads.withLock { threads in
            let running = threads
            threads = []
            return running
        }
        for thread in running { pthread_join(thread, nil) }
    }

    /// A sender for a thread that is not a loop's. Failures are reported to the delegate of the loop at `index`.
    public func makeSender(reportingTo index: Int = 0) -> Sender {
        let index = index < loops.count ? index : 0
        return Sender(
            sockets: sockets[index], table: table, owner: table.owners[index], counters: counts[index])
    }

    /// Changes the limits of connections, of those that are open too. `messageSize` holds for new ones.
    public func replaceLimits(_ change: (inout TransportLimits) -> Void) { table.currentLimits.replace(change) }

    /// The smallest receive buffer that the kernel has granted a UDP socket, when that is less than was wanted; in bytes.
    public var shortReceiveBuffer: (granted: Int, wanted: Int)? {
        let granted = sockets.joined().compactMap { $0?.receiveBuffer }.min() ?? DatagramSocket.wantedBuffer
        return granted < DatagramSocket.wantedBuffer ? (granted, DatagramSocket.wantedBuffer) : nil
    }

    /// What was done until now.
    public var counters: TransportCounters {
        var sum = TransportCounters()
        for counters in counts { counters.add(to: &sum) }
        sum.connections = UInt64(max(0, table.count))
        sum.streamBytes = UInt64(max(0, table.memory.count))
        return sum
    }

    private static func expand(
        _ configurations: [ListenerConfiguration]
    ) throws(TransportError) -> [ListenerConfiguration] {
        var result: [ListenerConfiguration] = []
        for configuration in configurations {
            do throws(SystemError) {
                let expanded = try configuration.expanded()
                if expanded.isEmpty { throw SystemError(EADDRNOTAVAIL, "getifaddrs") }
                for concrete in expanded where concrete.address.port == 0 || !result.contains(concrete) {
                    result.append(concrete)
                }
            } catch {
                throw TransportError(listener: configuration, cause: error)
            }
        }
        return result
    }

    /// Binds alone for a moment. The workers' sockets share their port, and would share it with those of another process of
    /// the same user too, without any error.
    private static func probe(_ configuration: ListenerConfiguration) throws(SystemError) {
        if configuration.address.port == 0 { return }
        let socket = try System.socket(configuration.transport, family: configuration.address.family)
        if configuration.transport == .tcp { try System.set(socket.number, SOL_SOCKET, SO_REUSEADDR, 1) }
        try System.bind(socket.number, configuration.address)
    }
}

/// The entry of a loop's thread.
private func runLoop(_ argument: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    if let argument { Unmanaged<EventLoop>.fromOpaque(argument).takeRetainedValue().run() }
    return nil
}
