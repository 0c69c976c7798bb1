extension JSON {
  /// This value as JSON text in UTF-8.
  ///
  /// Numbers have the fewest digits that read back as the same value. With `sortedKeys`, members
  /// come in the order of their names' bytes, so that equal values give equal text.
  public func bytes(sortedKeys: Bool = false, indented: Bool = false) -> [UInt8] {
    var writer = JSONWriter(sortedKeys: sortedKeys, indented: indented)
    writer.write(self)
    return writer.output
  }

  /// This value as JSON text.
  public func text(sortedKeys: Bool = false, indented: Bool = false) -> String {
    String(decoding: bytes(sortedKeys: sortedKeys, indented: indented), as: UTF8.self)
  }
}

/// Writes JSON text into a buffer.
struct JSONWriter {
  private(set) var output: [UInt8] = []
  private let sortedKeys: Bool
  private let indented: Bool
  private var depth = 0

  init(sortedKeys: Bool, indented: Bool) {
    self.sortedKeys = sortedKeys
    self.indented = indented
  }

  mutating func write(_ value: JSON) {
    switch value {
    case .null: write(literal: "null")
    case .bool(let value): write(literal: value ? "true" : "false")
    case .integer(let value): write(integer: value)
    case .unsigned(let value): output.append(contentsOf: value.description.utf8)
    case .number(let value): write(number: value)
    case .string(let value): write(string: value)
    case .array(let values): write(array: values)
    case .object(let members): write(object: members)
    }
  }

  private mutating func write(array values: [JSON]) {
    output.append(UInt8(ascii: "["))
    depth += 1
    for (index, value) in values.enumerated() {
      if index > 0 { output.append(UInt8(ascii: ",")) }
      newLine()
      write(value)
    }
    depth -= 1
    if !values.isEmpty { newLine() }
    output.append(UInt8(ascii: "]"))
  }

  private mutating func write(object: JSONObject) {
    output.append(UInt8(ascii: "{"))
    depth += 1
    var members = object.members
    if sortedKeys {
      members.sort { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
    }
    for (index, member) in members.enumerated() {
      if index > 0 { output.append(UInt8(ascii: ",")) }
      newLine()
      write(string: member.key)
      output.append(UInt8(ascii: ":"))
      if indented { output.append(UInt8(ascii: " ")) }
      write(member.value)
    }
    depth -= 1
    if !members.isEmpty { newLine() }
    output.append(UInt8(ascii: "}"))
  }

  private mutating func newLine() {
    guard indented else { return }
    output.append(UInt8(ascii: "\n"))
    for _ in 0..<depth * 2 { output.append(UInt8(ascii: " ")) }
  }

  private mutating func write(literal: StaticString) {
    output.append(
      contentsOf: UnsafeBufferPointer(
        start: literal.utf8Start, count: literal.utf8CodeUnitCount))
  }

  private mutating func write(integer value: Int64) {
    output.append(contentsOf: value.description.utf8)
  }

  private mutating func write(number value: Double) {
    if value.isNaN { return write(literal: "\"NaN\"") }
    if value.isInfinite { return write(literal: value < 0 ? "\"-Inf\"" : "\"+Inf\"") }
    // Up to 2^53 every whole number is a Double and the other way round (IEEE 754 binary64).
    if value.magnitude <= 9_007_199_254_740_992, let whole = Int64(exactly: value) {
      return whole == 0 && value.sign == .minus
        ? write(literal: "-0") : write(integer: whole)
    }
    output.append(contentsOf: value.description.utf8)
  }

  private mutating func write(string: String) {
    var string = string
    string.withUTF8 { bytes in
      output.append(UInt8(ascii: "\""))
      var written = 0
      for (index, byte) in bytes.enumerated() where mustBeEscaped(byte) {
        output.append(contentsOf: bytes[written..<index])
        escape(byte)
        written = index + 1
      }
      output.append(contentsOf: bytes[written...])
      output.append(UInt8(ascii: "\""))
    }
  }

  private func mustBeEscaped(_ byte: UInt8) -> Bool {
    byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\")
  }

  private mutating func escape(_ byte: UInt8) {
    output.append(UInt8(ascii: "\\"))
    switch byte {
    case 0x08: output.append(UInt8(ascii: "b"))
    case 0x09: output.append(UInt8(ascii: "t"))
    case 0x0A: output.append(UInt8(ascii: "n"))
    case 0x0C: output.append(UInt8(ascii: "f"))
    case 0x0D: output.append(UInt8(ascii: "r"))
    case UInt8(ascii: "\""), UInt8(ascii: "\\"): output.append(byte)
    default:
      write(literal: "u00")
      output.append(byte >= 0x10 ? UInt8(ascii: "1") : UInt8(ascii: "0"))
      let low = byte & 0x0F
      output.append(low < 10 ? 0x30 + low : 0x61 + low - 10)
    }
  }
}
