extension Snappy {
  /// Matches reach back within a fragment of this size, so that positions fit 16 bits.
  private static let fragment = 1 << 16
  private static let tableBits = 14
  /// Too short to look for matches in.
  private static let shortest = 16

  /// - Precondition: fewer than 4 GiB.
  public static func compress(_ bytes: [UInt8]) -> [UInt8] {
    precondition(bytes.count <= Int(UInt32.max))
    var writer = ProtobufWriter()
    writer.reserve(32 + bytes.count / 2)
    writer.varint(UInt64(bytes.count))
    var compressor = Compressor(output: writer.bytes)
    bytes.withUnsafeBufferPointer { input in
      var start = 0
      while start < input.count {
        let end = min(start + fragment, input.count)
        compressor.append(input, start, end)
        start = end
      }
    }
    return compressor.output
  }

  /// Greedy matching through a table of four-byte hashes, as the reference does.
  private struct Compressor {
    var output: [UInt8]
    private var table = [UInt16](repeating: 0, count: 1 << Snappy.tableBits)

    init(output: [UInt8]) {
      self.output = output
    }

    mutating func append(_ input: UnsafeBufferPointer<UInt8>, _ start: Int, _ end: Int) {
      guard let base = input.baseAddress, end - start >= Snappy.shortest else {
        literal(input, start, end)
        return
      }
      for index in table.indices { table[index] = 0 }
      let raw = UnsafeRawPointer(base)
      func word(_ position: Int) -> UInt32 {
        raw.loadUnaligned(fromByteOffset: position, as: UInt32.self)
      }
      // The last bytes are always a literal, so that a word can be read at every candidate.
      let last = end - 15
      var emitted = start
      var position = start + 1
      var misses = 32
      while position < last {
        let current = word(position)
        let slot = Self.slot(current)
        let candidate = start + Int(table[slot])
        table[slot] = UInt16(position - start)
        guard candidate < position, word(candidate) == current else {
          // Data that does not compress is walked through in ever longer steps.
          position += misses >> 5
          misses += 1
          continue
        }
        misses = 32
        literal(input, emitted, position)
        var length = 4
        while position + length < end, input[candidate + length] == input[position + length] {
          length += 1
        }
        copy(offset: position - candidate, length: length)
        position += length
        emitted = position
      }
      literal(input, emitted, end)
    }

    @inline(__always)
    private static func slot(_ word: UInt32) -> Int {
      Int((word &* 0x1E35_A7BD) >> UInt32(32 - Snappy.tableBits))
    }

    private mutating func literal(
      _ input: UnsafeBufferPointer<UInt8>, _ start: Int, _ end: Int
    ) {
      guard end > start else { return }
      let length = end - start - 1
      if length < 60 {
        output.append(UInt8(length << 2))
      } else if length < 1 << 8 {
        output.append(60 << 2)
        output.append(UInt8(length))
      } else {
        // A fragment holds at most 65536 bytes, so two bytes of length are enough.
        output.append(61 << 2)
        output.append(UInt8(truncatingIfNeeded: length))
        output.append(UInt8(truncatingIfNeeded: length >> 8))
      }
      output.append(contentsOf: input[start..<end])
    }

    private mutating func copy(offset: Int, length: Int) {
      var length = length
      while length >= 68 {
        longCopy(offset, 64)
        length -= 64
      }
      if length > 64 {
        longCopy(offset, 60)
        length -= 60
      }
      guard length < 12, offset < 2048 else {
        longCopy(offset, length)
        return
      }
      output.append(UInt8(offset >> 8) << 5 | UInt8(length - 4) << 2 | 1)
      output.append(UInt8(truncatingIfNeeded: offset))
    }

    private mutating func longCopy(_ offset: Int, _ length: Int) {
      output.append(UInt8(length - 1) << 2 | 2)
      output.append(UInt8(truncatingIfNeeded: offset))
      output.append(UInt8(truncatingIfNeeded: offset >> 8))
    }
  }
}
