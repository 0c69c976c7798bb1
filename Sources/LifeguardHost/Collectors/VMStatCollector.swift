import LifeguardCore

/// Paging, faults and OOM kills from `/proc/vmstat` (proc_vmstat(5)).
///
/// Of some two hundred fields those that node_exporter takes by default:
/// `^(oom_kill|pgpg|pswp|pg.*fault).*`.
struct VMStatCollector: Collector {
  private let file: ProcFile
  private var fields = SlotTable<Slot?>()

  init(_ context: CollectorContext) {
    file = context.file("proc/vmstat")
  }

  mutating func collect(into scrape: inout Scrape) throws(CollectorError) {
    var content = try file.read()
    fields.beginPass()
    var found = false
    while var line = content.line() {
      let key = line.word()
      guard let slot = fields.entry(of: key) ?? newField(key, in: &scrape) else { continue }
      guard let value = line.unsigned() else {
        throw .malformed(path: file.path, reason: "\(text(key)) has no number")
      }
      scrape[slot] = Double(value)
      found = true
    }
    guard found else { throw .malformed(path: file.path, reason: "none of the fields is there") }
  }

  private mutating func newField(_ key: Bytes, in scrape: inout Scrape) -> Slot? {
    let name = text(key)
    let isWanted =
      name.hasPrefix("oom_kill") || name.hasPrefix("pgpg") || name.hasPrefix("pswp")
      || (name.hasPrefix("pg") && name.dropFirst(2).contains("fault"))
    let slot =
      isWanted
      ? scrape.register(
        .untyped("node_vmstat_" + name, "/proc/vmstat information field \(name).")) : nil
    fields.insert(slot, for: key)
    return slot
  }
}

extension String {
  /// Whether `part` occurs; without Foundation.
  fileprivate func contains(_ part: String) -> Bool { self[...].contains(part) }
}

extension Substring {
  fileprivate func contains(_ part: String) -> Bool {
    var rest = self
    while !rest.isEmpty {
      if rest.hasPrefix(part) { return true }
      rest.removeFirst()
    }
    return false
  }
}
