/// Writes protobuf's wire format (protobuf.dev, "Encoding").
struct ProtobufWriter {
  private(set) var bytes: [UInt8] = []

  mutating func reserve(_ count: Int) { bytes.reserveCapacity(count) }

  mutating func removeAll() { bytes.removeAll(keepingCapacity: true) }

  @inline(__always)
  mutating func varint(_ value: UInt64) {
    var rest = value
    while rest >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(truncatingIfNeeded: rest))
  }

  /// A number that may be negative, which then takes ten bytes (`int64`).
  mutating func varint(_ number: Int, _ value: Int64) {
    key(number, 0)
    varint(UInt64(bitPattern: value))
  }

  mutating func double(_ number: Int, _ value: Double) {
    key(number, 1)
    fixed64(value.bitPattern)
  }

  mutating func fixed64(_ value: UInt64) {
    withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
  }

  mutating func text(_ number: Int, _ value: String) {
    key(number, 2)
    varint(UInt64(value.utf8.count))
    bytes.append(contentsOf: value.utf8)
  }

  mutating func message(_ number: Int, _ content: some Collection<UInt8>) {
    key(number, 2)
    varint(UInt64(content.count))
    bytes.append(contentsOf: content)
  }

  /// The start of a message whose content of `count` bytes is appended next.
  mutating func beginMessage(_ number: Int, count: Int) {
    key(number, 2)
    varint(UInt64(count))
  }

  mutating func append(_ content: some Collection<UInt8>) { bytes.append(contentsOf: content) }

  private mutating func key(_ number: Int, _ type: UInt64) {
    varint(UInt64(number) << 3 | type)
  }

  /// How many bytes a varint takes.
  static func size(_ value: UInt64) -> Int {
    max(1, (64 - value.leadingZeroBitCount + 6) / 7)
  }
}
