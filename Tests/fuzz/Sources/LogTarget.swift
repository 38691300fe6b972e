import Observability
import Primitives

/// Writes bytes into a log line, in both formats: no stranger may end a line, begin one, or send a terminal commands.
func fuzzLog(_ input: ByteSlice) {
    for format: LogFormat in [.logfmt, .json] {
        var log = LogBuffer(level: .debug, format: format)
        guard log.begin(.parseBad, at: UnixTime(seconds: 1_700_000_000)) else { fail("no line was begun") }
        log.field("ua", input)
        log.field("what", sentence: input)
        log.end()
        let line = log.bytes
        require(line.last == ASCII.lineFeed, "a line without an end")
        require(line.count < 8192, "a line of \(line.count) bytes")
        for index in 0..<line.count - 1 where line[index] < 32 || line[index] == 127 {
            fail("byte \(line[index]) in a line: \(line.string)")
        }
        require(String(validating: line.bytes, as: UTF8.self) != nil, "a line that is no UTF-8")
    }
}
