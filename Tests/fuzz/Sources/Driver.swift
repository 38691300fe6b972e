import Glibc
import Primitives

/// The entry of libFuzzer, whose library has no header: runs `target` until a limit of its options is reached.
@_silgen_name("LLVMFuzzerRunDriver")
private func runFuzzer(
    _ argumentCount: UnsafeMutablePointer<Int32>,
    _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>>,
    _ target: @convention(c) (UnsafePointer<UInt8>?, Int) -> Int32
) -> Int32

/// What a fuzz target does with one input. A trap is a finding.
typealias FuzzTarget = @Sendable (ByteSlice) -> Void

/// The chosen target. Set once before the fuzzer starts, which runs in this thread alone.
nonisolated(unsafe) private var chosenTarget: FuzzTarget = { _ in }

/// `ROLLCALL_FUZZ_TARGET=name fuzz [libFuzzer options] [corpus directories]`, or `fuzz --list`.
@main
struct Driver {
    /// All targets by their names on the command line.
    static let targets: [(name: String, target: FuzzTarget)] = [
        ("configuration", fuzzConfiguration),
        ("digest", fuzzDigest),
        ("dns", fuzzDNS),
        ("http", fuzzHTTP),
        ("log", fuzzLog),
        ("rcml", fuzzRCML),
        ("route-token", fuzzRouteToken),
        ("sequence", fuzzSequence),
        ("sip-message", fuzzSIPMessage),
        ("stream-framer", fuzzStreamFramer),
        ("stun", fuzzSTUN),
        ("uri", fuzzURI),
    ]

    static func main() {
        if CommandLine.arguments.contains("--list") {
            for target in targets { print(target.name) }
            return
        }
        // Not an argument: libFuzzer starts the program again with all of these when it merges.
        let name = getenv("ROLLCALL_FUZZ_TARGET").map { String(cString: $0) } ?? ""
        guard let target = targets.first(where: { $0.name == name }) else {
            print("fuzz: ROLLCALL_FUZZ_TARGET is '\(name)', which is no target; fuzz --list shows all")
            exit(2)
        }
        chosenTarget = target.target
        var argumentCount = CommandLine.argc
        var arguments = CommandLine.unsafeArgv
        let code = runFuzzer(&argumentCount, &arguments) { data, count in
            chosenTarget(ByteSlice(UnsafeRawBufferPointer(start: data, count: count)))
            return 0
        }
        exit(code)
    }
}

/// Ends the run with a message when what must hold does not.
@inline(__always)
func require(_ condition: Bool, _ message: @autoclosure () -> String) {
    if !condition { fail(message()) }
}

/// Ends the run with a message; libFuzzer keeps the input.
@inline(never)
func fail(_ message: String) -> Never {
    let text = Array(("\nBROKEN: " + message + "\n").utf8)
    _ = text.withUnsafeBytes { write(2, $0.baseAddress, $0.count) }
    abort()
}
