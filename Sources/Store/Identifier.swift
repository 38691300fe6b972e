/// Names that cannot be guessed.
enum Identifier {
    /// `prefix` and 128 random bits as 32 hexadecimal digits.
    static func make(prefix: String) -> String {
        let digits = Array("0123456789abcdef".utf8)
        var text = Array(prefix.utf8)
        var random = SystemRandomNumberGenerator()
        for _ in 0..<2 {
            var word = random.next()
            for _ in 0..<16 {
                text.append(digits[Int(word & 15)])
                word >>= 4
            }
        }
        return String(decoding: text, as: UTF8.self)
    }
}
