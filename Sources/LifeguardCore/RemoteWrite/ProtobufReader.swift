/// Reads protobuf's wire format (protobuf.dev, "Encoding") from bytes that outlive it.
struct ProtobufReader {
  /// Where the bytes cannot be read on, and why.
  struct Failure: Error, Hashable, Sendable, CustomStringConvertible {
    var offset: Int
    var reason: String

    var description: String { "proto: \(reason) at byte \(offset)" }
  }

  /// How a field's value is stored.
  enum WireType: UInt8 {
    case varint = 0
    case fixed64 = 1
    case bytes = 2
    case fixed32 = 5
  }

  private let base: UnsafeRawPointer
  private(set) var position: Int
  private let end: Int

  /// - Precondition: `range` lies within what `base` points to.
  init(_ base: UnsafeRawPointer, _ range: Range<Int>) {
    self.base = base
    position = range.lowerBound
    end = range.upperBound
  }

  var isAtEnd: Bool { position >= end }

  @inline(__always)
  mutating func varint() throws(Failure) -> UInt64 {
    if position < end {
      let byte = base.load(fromByteOffset: position, as: UInt8.self)
      if byte < 0x80 {
        position += 1
        return UInt64(byte)
      }
    }
    return try longVarint()
  }

  private mutating func longVarint() throws(Failure) -> UInt64 {
    var value: UInt64 = 0
    var shift: UInt64 = 0
    while position < end {
      let byte = base.load(fromByteOffset: position, as: UInt8.self)
      position += 1
      if shift == 63, byte > 1 { throw failure("varint overflow") }
      value |= UInt64(byte & 0x7F) << shift
      if byte < 0x80 { return value }
      shift += 7
      if shift > 63 { throw failure("varint overflow") }
    }
    throw failure("unexpected EOF")
  }

  /// The next field's number and the way it is stored.
  @inline(__always)
  mutating func field() throws(Failure) -> (number: Int, type: WireType) {
    let key = try varint()
    guard let type = WireType(rawValue: UInt8(key & 7)), key >> 3 > 0, key >> 3 < 1 << 29 else {
      throw failure("illegal tag \(key)")
    }
    return (Int(key >> 3), type)
  }

  /// The bytes of a nested message, a text or a packed list.
  @inline(__always)
  mutating func range() throws(Failure) -> Range<Int> {
    let length = try varint()
    guard length <= UInt64(end - position) else { throw failure("unexpected EOF") }
    let start = position
    position += Int(length)
    return start..<position
  }

  @inline(__always)
  mutating func fixed64() throws(Failure) -> UInt64 {
    guard end - position >= 8 else { throw failure("unexpected EOF") }
    let value = base.loadUnaligned(fromByteOffset: position, as: UInt64.self)
    position += 8
    return UInt64(littleEndian: value)
  }

  /// Passes over a field that is not known.
  mutating func skip(_ type: WireType) throws(Failure) {
    switch type {
    case .varint: _ = try varint()
    case .fixed64: _ = try fixed64()
    case .bytes: _ = try range()
    case .fixed32:
      guard end - position >= 4 else { throw failure("unexpected EOF") }
      position += 4
    }
  }

  func failure(_ reason: String) -> Failure { Failure(offset: position, reason: reason) }
}
