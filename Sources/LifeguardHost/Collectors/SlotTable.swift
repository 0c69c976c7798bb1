import Glibc

/// Remembers what belongs to each row of a table-like file: the slots of a disk, of a key.
///
/// Files of `/proc` keep their order, so the row after the last one found is nearly always the one
/// that is asked for: a comparison of a few bytes instead of a hash of a string.
struct SlotTable<Entry> {
  private struct Row {
    var key: [UInt8]
    var entry: Entry
    var pass: UInt32
  }

  private var rows: ContiguousArray<Row> = []
  private var cursor = 0
  private var pass: UInt32 = 0

  var count: Int { rows.count }

  /// Starts reading the file from its first row.
  mutating func beginPass() {
    cursor = 0
    pass &+= 1
  }

  /// The entry of a key, marked as seen; `nil` when the key is new.
  mutating func entry(of key: Bytes) -> Entry? {
    if cursor < rows.count, key.equals(rows[cursor].key) {
      defer { cursor += 1 }
      rows[cursor].pass = pass
      return rows[cursor].entry
    }
    for index in rows.indices where key.equals(rows[index].key) {
      cursor = index + 1
      rows[index].pass = pass
      return rows[index].entry
    }
    return nil
  }

  /// Adds a key that was found to be new.
  mutating func insert(_ entry: Entry, for key: Bytes) {
    // Behind the row found last, so that the order of the file becomes the order of the table.
    rows.insert(Row(key: Array(key), entry: entry, pass: pass), at: cursor)
    cursor += 1
  }

  /// Replaces the entry of the row that was found or inserted last.
  mutating func update(_ entry: Entry) {
    guard cursor > 0 else { return }
    rows[cursor - 1].entry = entry
  }

  /// Removes the rows that the pass has not met, and hands them to `body`.
  mutating func removeUnseen(_ body: (Entry) -> Void) {
    guard rows.contains(where: { $0.pass != pass }) else { return }
    for row in rows where row.pass != pass { body(row.entry) }
    rows.removeAll { $0.pass != pass }
  }

  /// All entries with their keys.
  func forEach(_ body: (_ key: [UInt8], _ entry: Entry) -> Void) {
    for row in rows { body(row.key, row.entry) }
  }
}
