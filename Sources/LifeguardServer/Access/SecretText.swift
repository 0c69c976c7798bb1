import Glibc

/// Random texts that open something, and their comparison.
enum SecretText {
  /// Random bytes of the kernel as hexadecimal digits (getrandom(2)).
  static func random(bytes count: Int) -> String {
    // The system generator is getrandom(2) on Linux.
    var generator = SystemRandomNumberGenerator()
    var text = ""
    for _ in 0..<count {
      let byte = UInt8.random(in: .min ... .max, using: &generator)
      text += byte < 16 ? "0" : ""
      text += String(byte, radix: 16)
    }
    return text
  }

  /// Compares in a time that does not depend on where the texts differ.
  static func areEqual(_ left: String, _ right: String) -> Bool {
    let a = Array(left.utf8)
    let b = Array(right.utf8)
    var difference: UInt8 = a.count == b.count ? 0 : 1
    for index in a.indices {
      difference |= a[index] ^ (b.isEmpty ? 0xFF : b[index % b.count])
    }
    return difference == 0
  }
}
