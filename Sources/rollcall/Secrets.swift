import Primitives

/// Random values from the system's generator, which is cryptographically secure.
enum Secrets {
    /// A key for hashes and signatures.
    static func key() -> HashKey {
        var generator = SystemRandomNumberGenerator()
        return HashKey(generator.next(), generator.next())
    }

    /// A password that is easy to type on a phone: 14 letters and digits, none that look alike (about 70 bits).
    static func password() -> String {
        let letters = Array("abcdefghjkmnpqrstuvwxyz23456789ABCDEFGHJKLMNPQRSTUVWXYZ")
        var generator = SystemRandomNumberGenerator()
        return String((0..<14).map { _ in letters[Int.random(in: 0..<letters.count, using: &generator)] })
    }
}
