/// The slots of the series that share something, ascending; a slot is added once.
///
/// Slots of series that have gone are used again, so a new one often belongs far before the end.
/// Such slots wait aside and are sorted in together: to move the whole list for each of them would
/// make churn cost the square of the number of series.
struct SlotList: Sendable {
  private var sorted: [Int32] = []
  private var late: [Int32] = []

  /// Fewer are not worth a pass over the list.
  private static let lateLeast = 64

  var isEmpty: Bool { sorted.isEmpty && late.isEmpty }
  var count: Int { sorted.count + late.count }

  var all: [Int32] {
    if late.isEmpty { return sorted }
    var all = sorted + late
    all.sort()
    return all
  }

  mutating func insert(_ slot: Int32) {
    guard let last = sorted.last, slot < last else {
      sorted.append(slot)
      return
    }
    late.append(slot)
    // A pass for each quarter of the list is a few steps for each slot.
    if late.count > max(Self.lateLeast, sorted.count / 4) {
      sorted = all
      late = []
    }
  }

  /// Takes slots out, which come in ascending order, in one pass over the part that holds them.
  mutating func remove(_ gone: [Int32]) {
    guard let first = gone.first, let last = gone.last else { return }
    let start = Self.position(of: first, in: sorted)
    var end = start
    var kept = start
    var next = 0
    while end < sorted.count, sorted[end] <= last {
      let slot = sorted[end]
      while gone[next] < slot { next += 1 }
      if gone[next] != slot {
        sorted[kept] = slot
        kept += 1
      }
      end += 1
    }
    sorted.removeSubrange(kept..<end)
    late.removeAll { slot in
      let position = Self.position(of: slot, in: gone)
      return position < gone.count && gone[position] == slot
    }
  }

  /// Where the first slot stands that is not smaller.
  private static func position(of slot: Int32, in slots: [Int32]) -> Int {
    var low = 0
    var high = slots.count
    while low < high {
      let middle = (low + high) / 2
      if slots[middle] < slot { low = middle + 1 } else { high = middle }
    }
    return low
  }
}
