import LifeguardCore

/// The labels of all stored series, to answer matchers without looking at every series.
///
/// Loaded when it is first needed and brought up to date before each question: new series have
/// higher numbers than all before, and a count says whether any was removed.
struct SeriesIndex {
  struct Entry {
    var labels: Labels
    var isRemote: Bool
    /// Permanent numbers; several when the series was written both here and from elsewhere.
    var ids: [Int]
  }

  private(set) var entries: [Entry] = []
  private var index = LabelIndex()
  private var slots: [Labels: Int32] = [:]
  private var newestID: Int64 = 0
  private var removals: Int64 = -1
  /// Names and values occur in many series: one copy of each.
  private var texts: [String: String] = [:]

  mutating func refresh(_ database: Database) throws(StoreError) {
    let removed = try database.integer("SELECT removals FROM tally") ?? 0
    if removed != removals { self = SeriesIndex(removals: removed) }
    var next = self
    try database.query(
      "SELECT id, labels, remote FROM series WHERE id > ? ORDER BY id", [.integer(newestID)]
    ) { (row: Row) throws(StoreError) in
      let labels = try SampleReader.labels(row.text(1), path: database.path)
      next.add(Int(row.integer(0)), labels, isRemote: row.integer(2) != 0)
    }
    self = next
  }

  init() {}

  private init(removals: Int64) { self.removals = removals }

  private mutating func add(_ id: Int, _ labels: Labels, isRemote: Bool) {
    newestID = max(newestID, Int64(id))
    if let slot = slots[labels] {
      entries[Int(slot)].ids.append(id)
      // Whatever acts on local series only must not act on this one.
      if isRemote { entries[Int(slot)].isRemote = true }
      return
    }
    let slot = Int32(entries.count)
    let shared = Labels(labels.map { Label(name: text($0.name), value: text($0.value)) })
    entries.append(Entry(labels: shared, isRemote: isRemote, ids: [id]))
    slots[shared] = slot
    index.insert(shared, slot: slot)
  }

  private mutating func text(_ text: String) -> String {
    // Short strings have no memory of their own.
    if text.utf8.count <= 15 { return text }
    if let known = texts[text] { return known }
    texts[text] = text
    return text
  }

  /// The slots of the series that match, ascending.
  func select(_ matchers: [Matcher]) -> [Int32] {
    index.candidates(matchers).filter { slot in
      matchers.allSatisfy { $0.matches(entries[Int(slot)].labels) }
    }
  }

  var all: [Int32] { index.all }
}
