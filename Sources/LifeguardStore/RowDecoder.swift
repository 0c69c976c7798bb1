/// A stored row is not what its encoder writes: the file is damaged.
struct RowDamage: Error {}

/// Reads rows of one segment in the order in which `RowEncoder` wrote them.
struct RowDecoder {
  private var segment = SegmentState()

  /// A limit against damaged rows; a host has some thousands of series.
  static let slotsMax = 1_000_000
  /// Permanent numbers only grow, so they may be larger than there are series.
  private static let idsMax = 1 << 31

  /// The samples of the next row, by permanent number.
  mutating func decode(_ bytes: [UInt8]) throws(RowDamage) -> [(series: Int, value: Double)] {
    var input = ByteReader(bytes: bytes)
    let known = try input.varint()
    guard known == segment.slots.count else { throw RowDamage() }
    let codes = input.position
    try input.skip((segment.slots.count + 3) / 4)
    var samples: [(series: Int, value: Double)] = []
    samples.reserveCapacity(segment.slots.count)
    for slot in segment.slots.indices {
      switch bytes[codes + slot / 4] >> UInt8(slot % 4 * 2) & 3 {
      case 0: break
      case 1: continue
      case 2: try readDifference(slot, &input)
      default: try readTagged(slot, &input)
      }
      samples.append(sample(slot))
    }
    let count = try input.varint()
    guard count <= UInt64(RowDecoder.slotsMax) else { throw RowDamage() }
    var previous = 0
    for _ in 0..<count {
      let (id, overflow) = previous.addingReportingOverflow(Int(try input.zigzag()))
      guard !overflow, (0..<RowDecoder.idsMax).contains(id) else { throw RowDamage() }
      previous = id
      segment.append(id)
      let slot = segment.slots.count - 1
      try readTagged(slot, &input)
      samples.append(sample(slot))
    }
    guard input.isAtEnd else { throw RowDamage() }
    return samples
  }

  private func sample(_ slot: Int) -> (series: Int, value: Double) {
    (segment.slots[slot].id, Double(bitPattern: segment.slots[slot].bits))
  }

  private mutating func readDifference(
    _ slot: Int, _ input: inout ByteReader
  ) throws(RowDamage) {
    guard let scale = segment.slots[slot].scale else { throw RowDamage() }
    let scaled = segment.slots[slot].scaled &+ (try input.zigzag())
    segment.slots[slot].set(scale.value(scaled).bitPattern, scale, scaled)
  }

  private mutating func readTagged(_ slot: Int, _ input: inout ByteReader) throws(RowDamage) {
    let tag = try input.byte()
    if tag & 0x80 == 0 {
      guard let scale = Scale(rawValue: tag) else { throw RowDamage() }
      let scaled = try input.zigzag()
      segment.slots[slot].set(scale.value(scaled).bitPattern, scale, scaled)
      return
    }
    let leading = Int(tag >> 3 & 7)
    let trailing = Int(tag & 7)
    guard leading + trailing < 8 else { throw RowDamage() }
    var difference: UInt64 = 0
    for index in trailing..<8 - leading {
      difference |= UInt64(try input.byte()) << UInt64(index * 8)
    }
    segment.slots[slot].set(segment.slots[slot].bits ^ difference, nil, 0)
  }
}

/// Takes numbers from bytes.
struct ByteReader {
  let bytes: [UInt8]
  private(set) var position = 0

  init(bytes: [UInt8]) { self.bytes = bytes }

  var isAtEnd: Bool { position == bytes.count }

  mutating func byte() throws(RowDamage) -> UInt8 {
    guard position < bytes.count else { throw RowDamage() }
    position += 1
    return bytes[position - 1]
  }

  /// Eight bytes, the lowest first.
  mutating func word() throws(RowDamage) -> UInt64 {
    guard bytes.count - position >= 8 else { throw RowDamage() }
    defer { position += 8 }
    return bytes.withUnsafeBytes {
      UInt64(littleEndian: $0.loadUnaligned(fromByteOffset: position, as: UInt64.self))
    }
  }

  mutating func skip(_ count: Int) throws(RowDamage) {
    guard count <= bytes.count - position else { throw RowDamage() }
    position += count
  }

  mutating func varint() throws(RowDamage) -> UInt64 {
    var value: UInt64 = 0
    for shift in stride(from: UInt64(0), to: 70, by: 7) {
      let next = try byte()
      value |= UInt64(next & 0x7F) << shift
      if next & 0x80 == 0 { return value }
    }
    throw RowDamage()
  }

  mutating func zigzag() throws(RowDamage) -> Int64 {
    let value = try varint()
    return Int64(bitPattern: value >> 1) ^ -Int64(bitPattern: value & 1)
  }
}
