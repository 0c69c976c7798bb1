/// Why a text is not JSON, and where.
public struct JSONError: Error, Hashable, Sendable, CustomStringConvertible {
  /// What is wrong, for people.
  public var reason: String
  /// Bytes before the place, from 0.
  public var offset: Int
  /// From 1.
  public var line: Int
  /// Characters (Unicode scalars) from the start of the line, from 1.
  public var column: Int

  init(_ reason: String, offset: Int, in bytes: UnsafeBufferPointer<UInt8>) {
    self.reason = reason
    self.offset = offset
    line = 1
    column = 1
    for byte in bytes.prefix(offset) {
      if byte == UInt8(ascii: "\n") {
        line += 1
        column = 1
      } else if byte & 0xC0 != 0x80 {
        column += 1
      }
    }
  }

  public var description: String { "line \(line), column \(column): \(reason)" }
}
