/// Writes rows compactly: in a segment, the first row has everything, the others what changed.
///
/// ```
/// row      = slots codes{2 bits a slot} payloads  count (series value)…
/// code 0   the same bits as last time             1 byte for four series
/// code 1   no sample in this row
/// code 2   zigzag varint: difference of value × scale, the slot's scale unchanged
/// code 3   a tag and what it says: another scale, or bits XORed with the last ones
/// ```
///
/// Every value comes back bit for bit, staleness markers included. Most host series are counters
/// of whole numbers or hundredths, or multiples of a page, so a difference takes one or two bytes.
struct RowEncoder {
  private var segment = SegmentState()
  private(set) var rows = 0

  var isEmpty: Bool { rows == 0 }

  /// Encodes one row; `ids` are the series' permanent numbers.
  mutating func encode(_ ids: [Int], _ values: [Double]) -> [UInt8] {
    rows += 1
    let known = segment.slots.count
    var current = [UInt64?](repeating: nil, count: known)
    var fresh: [(id: Int, bits: UInt64)] = []
    for (id, value) in zip(ids, values) {
      if let slot = segment.slot(of: id), slot < known {
        current[slot] = value.bitPattern
      } else {
        fresh.append((id, value.bitPattern))
      }
    }
    var output = ByteWriter()
    output.reserve(known / 4 + 2 * ids.count + 16)
    output.varint(UInt64(known))
    let codes = output.count
    output.zeros((known + 3) / 4)
    for slot in 0..<known {
      let code = write(current[slot], slot, &output)
      output.bytes[codes + slot / 4] |= code << UInt8(slot % 4 * 2)
    }
    write(fresh, &output)
    return output.bytes
  }

  private mutating func write(
    _ bits: UInt64?, _ slot: Int, _ output: inout ByteWriter
  ) -> UInt8 {
    guard let bits else { return 1 }
    let last = segment.slots[slot]
    if bits == last.bits { return 0 }
    let value = Double(bitPattern: bits)
    if let scale = last.scale, let scaled = scale.exact(value) {
      output.zigzag(scaled &- last.scaled)
      segment.slots[slot].bits = bits
      segment.slots[slot].scaled = scaled
      return 2
    }
    writeTagged(bits, slot, &output)
    return 3
  }

  private mutating func writeTagged(_ bits: UInt64, _ slot: Int, _ output: inout ByteWriter) {
    if let (scale, scaled) = Scale.best(Double(bitPattern: bits)) {
      output.byte(scale.rawValue)
      output.zigzag(scaled)
      segment.slots[slot].set(bits, scale, scaled)
      return
    }
    let difference = bits ^ segment.slots[slot].bits
    // A difference of zero happens for new slots only.
    let leading = min(difference.leadingZeroBitCount / 8, 7)
    let trailing = min(difference.trailingZeroBitCount / 8, 7 - leading)
    output.byte(0x80 | UInt8(leading << 3) | UInt8(trailing))
    for index in trailing..<8 - leading {
      output.byte(UInt8(truncatingIfNeeded: difference >> UInt64(index * 8)))
    }
    segment.slots[slot].set(bits, nil, 0)
  }

  private mutating func write(
    _ fresh: [(id: Int, bits: UInt64)], _ output: inout ByteWriter
  ) {
    // A series twice in one row: the last value counts, and the slot is made only once.
    var added: [(id: Int, bits: UInt64)] = []
    for (id, bits) in fresh {
      if let slot = segment.slot(of: id) {
        added[slot - segment.slots.count + added.count].bits = bits
      } else {
        segment.append(id)
        added.append((id, bits))
      }
    }
    output.varint(UInt64(added.count))
    var previous = 0
    let first = segment.slots.count - added.count
    for (offset, entry) in added.enumerated() {
      output.zigzag(Int64(entry.id - previous))
      previous = entry.id
      writeTagged(entry.bits, first + offset, &output)
    }
  }
}

/// What encoder and decoder both know of the rows so far in a segment.
struct SegmentState {
  struct Slot {
    var id: Int
    var bits: UInt64 = 0
    /// Nil while the last value had none that fits.
    var scale: Scale?
    var scaled: Int64 = 0

    mutating func set(_ bits: UInt64, _ scale: Scale?, _ scaled: Int64) {
      self.bits = bits
      self.scale = scale
      self.scaled = scaled
    }
  }

  var slots: [Slot] = []
  // Permanent numbers are small and dense: an array beats a dictionary tenfold. Where series have
  // come and gone for years they are not.
  private var slotOfID: [Int32] = []
  private var slotOfLargeID: [Int: Int32] = [:]
  private static let denseMax = 1 << 18

  func slot(of id: Int) -> Int? {
    if id >= SegmentState.denseMax { return slotOfLargeID[id].map { Int($0) } }
    guard id < slotOfID.count, slotOfID[id] >= 0 else { return nil }
    return Int(slotOfID[id])
  }

  mutating func append(_ id: Int) {
    if id >= SegmentState.denseMax {
      slotOfLargeID[id] = Int32(slots.count)
      slots.append(Slot(id: id))
      return
    }
    if id >= slotOfID.count {
      slotOfID += [Int32](repeating: -1, count: id + 1 - slotOfID.count)
    }
    slotOfID[id] = Int32(slots.count)
    slots.append(Slot(id: id))
  }
}

/// What a value is multiplied by to become a whole number.
enum Scale: UInt8, CaseIterable {
  case page
  case kibibyte
  case one
  case hundredth
  case thousandth
  case millionth

  var factor: Double {
    switch self {
    case .page: 1 / 4096
    case .kibibyte: 1 / 1024
    case .one: 1
    case .hundredth: 100
    case .thousandth: 1000
    case .millionth: 1_000_000
    }
  }

  /// The whole number, if it gives back the same bits.
  func exact(_ value: Double) -> Int64? {
    let scaled = (value * factor).rounded()
    // Beyond 2^53 whole numbers have gaps; NaN fails the comparison.
    guard scaled.magnitude <= 9_007_199_254_740_992 else { return nil }
    let whole = Int64(scaled)
    // By way of the whole number: it has no negative zero.
    return self.value(whole).bitPattern == value.bitPattern ? whole : nil
  }

  func value(_ scaled: Int64) -> Double { Double(scaled) / factor }

  static func best(_ value: Double) -> (Scale, Int64)? {
    // A small number may be a multiple of 1024 by chance; memory in bytes is so by nature.
    if value.magnitude >= 65536 {
      if let scaled = Scale.page.exact(value) { return (.page, scaled) }
      if let scaled = Scale.kibibyte.exact(value) { return (.kibibyte, scaled) }
    }
    if let scaled = Scale.one.exact(value) { return (.one, scaled) }
    if let scaled = Scale.hundredth.exact(value) { return (.hundredth, scaled) }
    if let scaled = Scale.thousandth.exact(value) { return (.thousandth, scaled) }
    if let scaled = Scale.millionth.exact(value) { return (.millionth, scaled) }
    return nil
  }
}

/// Appends numbers to bytes.
struct ByteWriter {
  var bytes: [UInt8] = []
  var count: Int { bytes.count }

  mutating func reserve(_ count: Int) { bytes.reserveCapacity(count) }
  mutating func byte(_ value: UInt8) { bytes.append(value) }
  mutating func zeros(_ count: Int) { bytes += [UInt8](repeating: 0, count: count) }

  /// Seven bits a byte, the lowest first (LEB128).
  mutating func varint(_ value: UInt64) {
    var rest = value
    while rest >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(rest))
  }

  /// Small differences of either sign become small numbers.
  mutating func zigzag(_ value: Int64) {
    varint(UInt64(bitPattern: value << 1 ^ value >> 63))
  }
}
