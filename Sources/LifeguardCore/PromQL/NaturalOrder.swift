/// The order people expect of names with numbers: `cpu2` before `cpu10`.
enum NaturalOrder {
  static func precedes(_ left: String, _ right: String) -> Bool {
    var first = Array(left.utf8)[...]
    var second = Array(right.utf8)[...]
    while let a = first.first, let b = second.first {
      guard Lexer.isDigit(a), Lexer.isDigit(b) else {
        if a != b { return a < b }
        first = first.dropFirst()
        second = second.dropFirst()
        continue
      }
      let numbers = (takeNumber(&first), takeNumber(&second))
      if numbers.0.count != numbers.1.count { return numbers.0.count < numbers.1.count }
      if numbers.0 != numbers.1 { return numbers.0.lexicographicallyPrecedes(numbers.1) }
    }
    return first.count < second.count
  }

  /// The leading digits without leading zeros.
  private static func takeNumber(_ bytes: inout ArraySlice<UInt8>) -> ArraySlice<UInt8> {
    let digits = bytes.prefix(while: Lexer.isDigit)
    bytes = bytes[digits.endIndex...]
    return digits.drop { $0 == UInt8(ascii: "0") }
  }
}
