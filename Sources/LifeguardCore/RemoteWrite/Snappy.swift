/// The Snappy block format, which remote write bodies are compressed with.
///
/// Source: google/snappy, `format_description.txt`: a length as a varint, then literals and copies
/// of what was written before. Not the framed format.
public enum Snappy {
  /// Why a block was not decompressed; `corrupt` in the words of the Go package that Prometheus
  /// uses.
  public enum Failure: Error, Hashable, Sendable, CustomStringConvertible {
    case corrupt
    /// It would become larger than allowed; nothing was allocated for it.
    case tooLarge(limit: Int)

    public var description: String {
      switch self {
      case .corrupt: "snappy: corrupt input"
      case .tooLarge(let limit): "snappy: decoded block is larger than \(limit) bytes"
      }
    }
  }

  /// The shortest element that gives most, three bytes for a copy of 64, bounds what a block of a
  /// given size can hold: a length beyond it is a lie, and is not allocated.
  private static let expansionMax = 22

  /// - Throws: when the block is damaged or says that it holds more than `limit` bytes.
  public static func decompress(_ block: [UInt8], limit: Int) throws(Failure) -> [UInt8] {
    let (length, start) = try declaredLength(block)
    guard length <= limit else { throw .tooLarge(limit: limit) }
    guard length <= block.count * expansionMax else { throw .corrupt }
    var isWhole = false
    let result = [UInt8](unsafeUninitializedCapacity: length) { output, count in
      isWhole = block.withUnsafeBufferPointer { input in
        var decoder = Decoder(input: input, position: start, output: output, limit: length)
        return decoder.run()
      }
      // Unread after a failure; nothing of it is initialised then.
      count = isWhole ? length : 0
    }
    guard isWhole else { throw .corrupt }
    return result
  }

  /// The length that a block says it has, and where its elements begin.
  static func declaredLength(_ block: [UInt8]) throws(Failure) -> (length: Int, start: Int) {
    var length: UInt64 = 0
    var shift: UInt64 = 0
    for index in 0..<min(block.count, 5) {
      let byte = block[index]
      length |= UInt64(byte & 0x7F) << shift
      if byte < 0x80 {
        guard length <= UInt64(UInt32.max) else { throw .corrupt }
        return (Int(length), index + 1)
      }
      shift += 7
    }
    throw .corrupt
  }

  /// One pass over a block's elements.
  private struct Decoder {
    let input: UnsafeBufferPointer<UInt8>
    var position: Int
    let output: UnsafeMutableBufferPointer<UInt8>
    let limit: Int
    var written = 0

    /// Whether the block was whole and held exactly what it said.
    mutating func run() -> Bool {
      guard let source = input.baseAddress else { return limit == 0 }
      guard let target = output.baseAddress else { return position == input.count }
      while position < input.count {
        let tag = source[position]
        position += 1
        let isGood =
          tag & 3 == 0 ? literal(tag, source, target) : copy(tag, source, target)
        guard isGood else { return false }
      }
      return written == limit
    }

    @inline(__always)
    private mutating func literal(
      _ tag: UInt8, _ source: UnsafePointer<UInt8>, _ target: UnsafeMutablePointer<UInt8>
    ) -> Bool {
      var length = Int(tag >> 2) + 1
      if length > 60 {
        let bytes = length - 60
        guard position + bytes <= input.count else { return false }
        length = 0
        for index in 0..<bytes { length |= Int(source[position + index]) << (8 * index) }
        length += 1
        position += bytes
      }
      guard length <= input.count - position, length <= limit - written else { return false }
      (target + written).update(from: source + position, count: length)
      position += length
      written += length
      return true
    }

    @inline(__always)
    private mutating func copy(
      _ tag: UInt8, _ source: UnsafePointer<UInt8>, _ target: UnsafeMutablePointer<UInt8>
    ) -> Bool {
      let length: Int
      let offset: Int
      let rest = input.count - position
      switch tag & 3 {
      case 1:
        guard rest >= 1 else { return false }
        length = 4 + Int(tag >> 2 & 7)
        offset = Int(tag & 0xE0) << 3 | Int(source[position])
        position += 1
      case 2:
        guard rest >= 2 else { return false }
        length = 1 + Int(tag >> 2)
        offset = Int(source[position]) | Int(source[position + 1]) << 8
        position += 2
      default:
        guard rest >= 4 else { return false }
        length = 1 + Int(tag >> 2)
        offset =
          Int(source[position]) | Int(source[position + 1]) << 8
          | Int(source[position + 2]) << 16 | Int(source[position + 3]) << 24
        position += 4
      }
      guard offset > 0, offset <= written, length <= limit - written else { return false }
      let from = target + (written - offset)
      let into = target + written
      written += length
      if offset >= 8, limit - written >= 8 {
        copyWords(from, into, length)
      } else {
        // Source and target overlap, as in a run of one byte: each byte may be needed next.
        for index in 0..<length { into[index] = from[index] }
      }
      return true
    }

    /// Eight bytes at a time, up to seven more than asked for; there is room for them.
    @inline(__always)
    private func copyWords(
      _ from: UnsafeMutablePointer<UInt8>, _ into: UnsafeMutablePointer<UInt8>, _ length: Int
    ) {
      let source = UnsafeRawPointer(from)
      let target = UnsafeMutableRawPointer(into)
      var done = 0
      repeat {
        let word = source.loadUnaligned(fromByteOffset: done, as: UInt64.self)
        target.storeBytes(of: word, toByteOffset: done, as: UInt64.self)
        done += 8
      } while done < length
    }
  }
}
