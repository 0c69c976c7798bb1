import LifeguardCore

/// The permanent numbers of the series that are being written; all others are on the disk only.
struct SeriesCatalogue {
  private struct Entry {
    var labels: Labels
    var isRemote: Bool
    /// How many of the caller's numbers and handles mean it.
    var users: Int
    /// Up to when the file says that the series lived (ms).
    var seen: Int64
  }

  private struct Slot {
    /// 0 is nobody's.
    var epoch: UInt32 = 0
    var id = 0
    /// The time of the newest sample (ms).
    var newest = Int64.min
  }

  private var entries: [Int: Entry] = [:]
  private var idOfNumber: [Int: Int] = [:]
  /// By slot of the head.
  private var slots: [Slot] = []
  private(set) var nextID: Int
  /// Series that the file does not know yet, and their numbers.
  private var unwritten: [Int] = []
  private var waiting: [Labels: Int] = [:]

  /// What is written to a file that is up to a day wrong, so that it need not be written often.
  static let seenMilliseconds: Int64 = 86_400_000

  init(nextID: Int) { self.nextID = nextID }

  var count: Int { entries.count }
  func isActive(_ id: Int) -> Bool { entries[id] != nil }

  func id(of number: Int) -> Int? { idOfNumber[number] }

  func id(of reference: SeriesReference) -> Int? {
    slot(of: reference).map { slots[$0].id }
  }

  private func slot(of reference: SeriesReference) -> Int? {
    let slot = Int(reference.slot)
    guard slot >= 0, slot < slots.count, slots[slot].epoch == reference.epoch,
      reference.epoch != 0
    else { return nil }
    return slot
  }

  /// Whether a sample is newer than all before it of its series, and its series' permanent number.
  mutating func admit(
    _ reference: SeriesReference, at time: Timestamp
  ) -> (id: Int, isLate: Bool, isRepeated: Bool)? {
    guard let slot = slot(of: reference) else { return nil }
    let newest = slots[slot].newest
    if time.milliseconds > newest { slots[slot].newest = time.milliseconds }
    return (slots[slot].id, time.milliseconds < newest, time.milliseconds == newest)
  }

  mutating func introduce(_ number: Int, _ labels: Labels, _ database: Database) {
    if let known = idOfNumber[number] { release(known) }
    idOfNumber[number] = use(labels, isRemote: false, database)
  }

  mutating func introduce(
    _ reference: SeriesReference, _ labels: Labels, isRemote: Bool, _ database: Database
  ) {
    let slot = Int(reference.slot)
    guard slot >= 0, reference.epoch != 0 else { return }
    if slot >= slots.count {
      slots += Array(repeating: Slot(), count: slot + 1 - slots.count)
    }
    if slots[slot].epoch != 0 { release(slots[slot].id) }
    slots[slot] = Slot(
      epoch: reference.epoch, id: use(labels, isRemote: isRemote, database))
  }

  mutating func end(_ number: Int) {
    if let id = idOfNumber.removeValue(forKey: number) { release(id) }
  }

  mutating func end(_ reference: SeriesReference) {
    guard let slot = slot(of: reference) else { return }
    release(slots[slot].id)
    slots[slot] = Slot()
  }

  private mutating func release(_ id: Int) {
    guard var entry = entries[id] else { return }
    entry.users -= 1
    // One that is still to be written is kept until it is.
    entries[id] = entry.users <= 0 && waiting[entry.labels] != id ? nil : entry
  }

  private mutating func use(_ labels: Labels, isRemote: Bool, _ database: Database) -> Int {
    if let id = waiting[labels], entries[id]?.isRemote == isRemote {
      entries[id]?.users += 1
      return id
    }
    // A file that cannot be read gets the series once more: readers join series by labels.
    let found = try? SeriesCatalogue.find(labels, isRemote: isRemote, database)
    if let found {
      entries[
        found.id,
        default: Entry(
          labels: labels, isRemote: isRemote, users: 0, seen: found.seen)
      ].users += 1
      return found.id
    }
    let id = nextID
    nextID += 1
    entries[id] = Entry(labels: labels, isRemote: isRemote, users: 1, seen: 0)
    waiting[labels] = id
    unwritten.append(id)
    return id
  }

  private static func find(
    _ labels: Labels, isRemote: Bool, _ database: Database
  ) throws(StoreError) -> (id: Int, seen: Int64)? {
    var found: (id: Int, seen: Int64)?
    let text = SampleReader.text(labels)
    try database.query(
      "SELECT id, labels, seen FROM series WHERE hash=? AND remote=?",
      [.integer(hash(labels)), .integer(isRemote ? 1 : 0)]
    ) { (row: Row) throws(StoreError) in
      if row.text(1) == text { found = (Int(row.integer(0)), LogSize.bounded(row.integer(2))) }
    }
    return found
  }

  /// The same in every process, unlike Swift's own.
  static func hash(_ labels: Labels) -> Int64 {
    var sum = Checksum()
    for label in labels {
      for var text in [label.name, label.value] {
        text.withUTF8 { sum.add(UnsafeRawBufferPointer($0)) }
      }
    }
    return sum.long
  }

  /// Within the transaction that writes their first samples.
  func writeNew(_ database: Database, at wall: Int64) throws(StoreError) {
    for id in unwritten {
      guard let entry = entries[id] else { continue }
      try database.run(
        "INSERT OR REPLACE INTO series(id, born, labels, hash, remote, seen) VALUES(?,?,?,?,?,?)",
        .integer(Int64(id)), .integer(wall), .text(SampleReader.text(entry.labels)),
        .integer(SeriesCatalogue.hash(entry.labels)), .integer(entry.isRemote ? 1 : 0),
        .integer(wall))
    }
  }

  /// After that transaction.
  mutating func wroteNew(at wall: Int64) {
    guard !unwritten.isEmpty else { return }
    for id in unwritten {
      entries[id]?.seen = wall
      if entries[id]?.users ?? 0 <= 0 { entries[id] = nil }
    }
    unwritten = []
    waiting = [:]
  }

  /// Notes in the file that a series still lives, at most once a day.
  mutating func saw(_ id: Int, at wall: Int64, _ database: Database) throws(StoreError) {
    if let seen = entries[id]?.seen, wall - seen < SeriesCatalogue.seenMilliseconds { return }
    try database.run(
      "UPDATE series SET seen=? WHERE id=? AND seen<?", .integer(wall), .integer(Int64(id)),
      .integer(wall))
    entries[id]?.seen = wall
  }

  /// For a new file: every series in use has to be written again.
  mutating func forgetFile() {
    unwritten = entries.keys.sorted()
    waiting = Dictionary(entries.map { ($0.value.labels, $0.key) }, uniquingKeysWith: max)
  }
}
