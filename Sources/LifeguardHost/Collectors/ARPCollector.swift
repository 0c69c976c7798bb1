import LifeguardCore

/// Neighbours known by device, from `/proc/net/arp` (proc_pid_net(5)).
struct ARPCollector: Collector {
  private let file: ProcFile
  private let family = MetricFamily.gauge("node_arp_entries", "ARP entries by device")
  private var devices = SlotTable<Int>()
  private var entries: [(slot: Slot, count: Int)] = []

  init(_ context: CollectorContext) {
    file = context.file("proc/net/arp")
  }

  mutating func collect(into scrape: inout Scrape) throws(CollectorError) {
    var content = try file.read()
    guard content.line() != nil else {
      throw .malformed(path: file.path, reason: "no heading")
    }
    for index in entries.indices { entries[index].count = 0 }
    devices.beginPass()
    while var line = content.line() {
      line.skipWords(5)
      let name = line.word()
      guard !name.isEmpty else {
        throw .malformed(path: file.path, reason: "a line with fewer than six columns")
      }
      if let index = devices.entry(of: name) {
        entries[index].count += 1
      } else {
        devices.insert(entries.count, for: name)
        let slot = scrape.register(family, ["device": text(name)])
        entries.append((slot: slot, count: 1))
      }
    }
    for entry in entries where entry.count > 0 { scrape[entry.slot] = Double(entry.count) }
  }
}
