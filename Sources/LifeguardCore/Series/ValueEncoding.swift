/// The encodings of a chunk's values.
enum ValueEncoding {
  /// Beyond nine digits after the point a whole number no longer says a double exactly.
  private static let powersOfTen: [Double] = [
    1, 10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000, 1_000_000_000,
  ]
  /// 2^53: whole numbers above it are not all doubles.
  private static let largestExact = 9_007_199_254_740_992.0

  static func write(_ samples: [Sample], to writer: inout BitWriter) -> Chunk.Encoding {
    let first = samples[0].value.bitPattern
    if samples.allSatisfy({ $0.value.bitPattern == first }) {
      writer.write(first, bits: 64)
      return .constant
    }
    guard let scaled = scaledIntegers(samples) else {
      writeExclusiveOr(samples, to: &writer)
      return .exclusiveOr
    }
    var integers = writer
    writeScaled(scaled.integers, exponent: scaled.exponent, to: &integers)
    // Whole numbers that pack well never lose; the other encoding is tried for the rest.
    if (integers.words.count - writer.words.count) * 64 < samples.count * 20 {
      writer = integers
      return .scaledInteger
    }
    var bits = writer
    writeExclusiveOr(samples, to: &bits)
    if bits.words.count < integers.words.count {
      writer = bits
      return .exclusiveOr
    }
    writer = integers
    return .scaledInteger
  }

  static func read(
    _ encoding: Chunk.Encoding, from reader: inout BitReader,
    into samples: UnsafeMutableBufferPointer<Sample>
  ) {
    switch encoding {
    case .constant:
      let value = Double(bitPattern: reader.read(64))
      for index in samples.indices { samples[index].value = value }
    case .scaledInteger:
      readScaled(from: &reader, into: samples)
    case .exclusiveOr:
      readExclusiveOr(from: &reader, into: samples)
    }
  }

  /// The values as whole numbers over a common power of ten, `nil` when one of them is not exactly
  /// that.
  private static func scaledIntegers(
    _ samples: [Sample]
  ) -> (integers: [Int64], exponent: Int)? {
    var exponent = 0
    for sample in samples {
      while integer(sample.value, exponent) == nil {
        exponent += 1
        if exponent == powersOfTen.count { return nil }
      }
    }
    var integers: [Int64] = []
    integers.reserveCapacity(samples.count)
    for sample in samples {
      guard let whole = integer(sample.value, exponent) else { return nil }
      integers.append(whole)
    }
    return (integers, exponent)
  }

  private static func integer(_ value: Double, _ exponent: Int) -> Int64? {
    let scaled = (value * powersOfTen[exponent]).rounded()
    guard scaled.magnitude < largestExact else { return nil }
    let whole = Int64(scaled)
    let back = Double(whole) / powersOfTen[exponent]
    return back.bitPattern == value.bitPattern ? whole : nil
  }

  private static func writeScaled(
    _ integers: [Int64], exponent: Int, to writer: inout BitWriter
  ) {
    var differences: [Int64] = []
    differences.reserveCapacity(integers.count)
    var divisor: UInt64 = 0
    for index in integers.indices.dropFirst() {
      let difference = integers[index] - integers[index - 1]
      differences.append(difference)
      divisor = greatestCommonDivisor(divisor, difference.magnitude)
    }
    if divisor > 1 { for index in differences.indices { differences[index] /= Int64(divisor) } }
    writer.write(UInt64(exponent), bits: 4)
    writer.writeSized(integers[0].zigZag)
    writer.writeSized(divisor)
    IntegerPacking.write(differences, to: &writer)
  }

  private static func readScaled(
    from reader: inout BitReader, into samples: UnsafeMutableBufferPointer<Sample>
  ) {
    let scale = powersOfTen[Int(reader.read(4))]
    var whole = Int64(zigZag: reader.readSized())
    let divisor = Int64(reader.readSized())
    samples[0].value = Double(whole) / scale
    var index = 1
    IntegerPacking.read(count: samples.count - 1, from: &reader) { difference in
      whole += difference * divisor
      samples[index].value = Double(whole) / scale
      index += 1
    }
  }

  private static func greatestCommonDivisor(_ left: UInt64, _ right: UInt64) -> UInt64 {
    var (larger, smaller) = (left, right)
    while smaller != 0 { (larger, smaller) = (smaller, larger % smaller) }
    return larger
  }

  // MARK: Bits that differ from the value before

  private static func writeExclusiveOr(_ samples: [Sample], to writer: inout BitWriter) {
    var previous = samples[0].value.bitPattern
    writer.write(previous, bits: 64)
    var leading = -1
    var trailing = 0
    for sample in samples.dropFirst() {
      let bits = sample.value.bitPattern
      let difference = bits ^ previous
      previous = bits
      if difference == 0 {
        writer.write(0, bits: 1)
        continue
      }
      let zerosBefore = min(difference.leadingZeroBitCount, 31)
      let zerosAfter = difference.trailingZeroBitCount
      if leading >= 0, zerosBefore >= leading, zerosAfter >= trailing {
        writer.write(0b01, bits: 2)
        writer.write(difference >> UInt64(trailing), bits: 64 - leading - trailing)
        continue
      }
      (leading, trailing) = (zerosBefore, zerosAfter)
      let meaningful = 64 - leading - trailing
      writer.write(0b11, bits: 2)
      writer.write(UInt64(leading), bits: 5)
      writer.write(UInt64(meaningful - 1), bits: 6)
      writer.write(difference >> UInt64(trailing), bits: meaningful)
    }
  }

  private static func readExclusiveOr(
    from reader: inout BitReader, into samples: UnsafeMutableBufferPointer<Sample>
  ) {
    var bits = reader.read(64)
    samples[0].value = Double(bitPattern: bits)
    var leading = 0
    var trailing = 0
    for index in samples.indices.dropFirst() {
      if reader.read(1) == 1 {
        if reader.read(1) == 1 {
          leading = Int(reader.read(5))
          trailing = 64 - leading - Int(reader.read(6)) - 1
        }
        bits ^= reader.read(64 - leading - trailing) << UInt64(trailing)
      }
      samples[index].value = Double(bitPattern: bits)
    }
  }
}
