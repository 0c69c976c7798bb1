/// Appends numbers of any width to a sequence of 64-bit words, lowest bit first.
struct BitWriter {
  private(set) var words: [UInt64] = []
  private var free = 0

  /// `bits` is 0...64; the value must fit.
  mutating func write(_ value: UInt64, bits: Int) {
    guard bits > 0 else { return }
    if free == 0 {
      words.append(value)
      free = 64 - bits
      return
    }
    words[words.count - 1] |= value << UInt64(64 - free)
    if bits <= free {
      free -= bits
    } else {
      words.append(value >> UInt64(free))
      free += 64 - bits
    }
  }

  /// A number of unknown size: seven bits of width, then the number.
  mutating func writeSized(_ value: UInt64) {
    let width = 64 - value.leadingZeroBitCount
    write(UInt64(width), bits: 7)
    write(value, bits: width)
  }
}

/// Reads what a `BitWriter` wrote; the words must outlive it.
struct BitReader {
  private let words: UnsafeBufferPointer<UInt64>
  private var position = 0

  init(_ words: UnsafeBufferPointer<UInt64>) {
    self.words = words
  }

  @inline(__always)
  mutating func read(_ bits: Int) -> UInt64 {
    guard bits > 0 else { return 0 }
    let word = position >> 6
    let offset = position & 63
    position += bits
    var value = words[word] >> UInt64(offset)
    if offset + bits > 64 { value |= words[word + 1] << UInt64(64 - offset) }
    return bits == 64 ? value : value & ((1 << UInt64(bits)) - 1)
  }

  mutating func readSized() -> UInt64 {
    let width = Int(read(7))
    return read(width)
  }
}

extension Int64 {
  /// Small numbers of either sign as small numbers without one.
  var zigZag: UInt64 { UInt64(bitPattern: (self << 1) ^ (self >> 63)) }

  init(zigZag value: UInt64) {
    self = Int64(bitPattern: (value >> 1) ^ (0 &- (value & 1)))
  }
}
