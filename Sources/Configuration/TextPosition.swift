/// A place in a text, counted from 1 as editors do.
public struct TextPosition: Equatable, Sendable, CustomStringConvertible {
    /// The line.
    public let line: Int
    /// The column in characters (Unicode scalars).
    public let column: Int

    /// `line:column`.
    public var description: String { "\(line):\(column)" }

    /// The place of the byte at `offset` of `text`; beyond the end it is the end.
    init(of offset: Int, in text: [UInt8]) {
        var line = 1
        var column = 1
        for byte in text.prefix(max(0, offset)) {
            if byte == UInt8(ascii: "\n") {
                line += 1
                column = 1
            } else if byte & 0xc0 != 0x80 {
                column += 1
            }
        }
        self.line = line
        self.column = column
    }
}
