/// Durations ("30s") and sizes ("64k") as text.
enum Quantity {
    private static let durationUnits: [(name: String, milliseconds: Int64)] = [
        ("ms", 1), ("s", 1000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000),
    ]
    private static let sizeUnits: [(name: String, bytes: Int)] = [("", 1), ("k", 1024), ("m", 1024 * 1024)]

    /// Reads digits and one of the units ms, s, m, h, d; nil for anything else and for overflow.
    static func duration(_ text: String) -> Duration? {
        guard let (number, unit) = split(text),
            let factor = durationUnits.first(where: { $0.name == unit })?.milliseconds
        else { return nil }
        let (milliseconds, overflow) = number.multipliedReportingOverflow(by: factor)
        return overflow ? nil : .milliseconds(milliseconds)
    }

    /// The shortest text of a duration that `duration` reads back.
    static func text(of duration: Duration) -> String {
        let milliseconds = Int64(clamping: duration.wholeMilliseconds)
        let unit = durationUnits.last { milliseconds % $0.milliseconds == 0 && milliseconds >= $0.milliseconds }
        guard let unit else { return "0s" }
        return "\(milliseconds / unit.milliseconds)\(unit.name)"
    }

    /// Reads digits and none or one of the units k (1024) and m (1024 k) of either case.
    static func size(_ text: String) -> Int? {
        guard let (number, unit) = split(text),
            let factor = sizeUnits.first(where: { $0.name == unit.lowercased() })?.bytes,
            let number = Int(exactly: number)
        else { return nil }
        let (bytes, overflow) = number.multipliedReportingOverflow(by: factor)
        return overflow ? nil : bytes
    }

    /// The shortest text of a size that `size` reads back.
    static func text(ofSize bytes: Int) -> String {
        let unit = sizeUnits.last { bytes % $0.bytes == 0 && bytes >= $0.bytes }
        return "\(bytes / (unit?.bytes ?? 1))\(unit?.name ?? "")"
    }

    private static func split(_ text: String) -> (number: Int64, unit: String)? {
        let digits = text.prefix { ("0"..."9").contains($0) }
        guard let number = Int64(digits) else { return nil }
        return (number, String(text.dropFirst(digits.count)))
    }
}
