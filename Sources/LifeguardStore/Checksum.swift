/// Tells damage, not malice: 32 bits over stored bytes and over where they belong.
///
/// FNV-1a (RFC 9923) over words of 8 bytes instead of bytes, because chunks are long, with a shift
/// after each word so that high bits reach low ones. What belongs to the bytes but is stored beside
/// them (keys, times) goes in as well, so that a row that has changed places is found too.
struct Checksum {
  private var state: UInt64 = 0xCBF2_9CE4_8422_2325

  init(_ words: Int64...) {
    for word in words { mix(UInt64(bitPattern: word)) }
  }

  private mutating func mix(_ word: UInt64) {
    state = (state ^ word) &* 0x100_0000_01B3
    state ^= state >> 29
  }

  mutating func add(_ bytes: UnsafeRawBufferPointer) {
    let whole = bytes.count & ~7
    for offset in stride(from: 0, to: whole, by: 8) {
      mix(UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)))
    }
    for byte in bytes[whole...] { mix(UInt64(byte)) }
    mix(UInt64(bytes.count))
  }

  mutating func add(_ bytes: [UInt8]) { bytes.withUnsafeBytes { add($0) } }

  var value: UInt32 { UInt32(truncatingIfNeeded: state ^ state >> 32) }

  /// All 64 bits, for looking things up.
  var long: Int64 { Int64(bitPattern: state) }
}

/// Bytes with their checksum in front (4 bytes, little-endian).
enum Sealed {
  static let overhead = 4

  /// Writes the checksum into the first four bytes, which were left free for it.
  static func seal(_ bytes: inout [UInt8], _ words: (Int64, Int64)) {
    let value = checksum(bytes, words)
    for index in 0..<overhead {
      bytes[index] = UInt8(truncatingIfNeeded: value >> UInt32(index * 8))
    }
  }

  static func isSound(_ bytes: [UInt8], _ words: (Int64, Int64)) -> Bool {
    guard bytes.count >= overhead else { return false }
    var stored: UInt32 = 0
    for index in 0..<overhead { stored |= UInt32(bytes[index]) << UInt32(index * 8) }
    return stored == checksum(bytes, words)
  }

  private static func checksum(_ bytes: [UInt8], _ words: (Int64, Int64)) -> UInt32 {
    var sum = Checksum(words.0, words.1)
    bytes.withUnsafeBytes { sum.add(UnsafeRawBufferPointer(rebasing: $0[overhead...])) }
    return sum.value
  }
}
