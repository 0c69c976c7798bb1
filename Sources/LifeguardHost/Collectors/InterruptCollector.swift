import LifeguardCore

/// Interrupts by line and CPU from `/proc/interrupts`; many series, so off unless asked for.
struct InterruptCollector: Collector {
  private let file: ProcFile
  private let family = MetricFamily.counter("node_interrupts_total", "Interrupt details.")
  private var lines = SlotTable<[Slot]>()
  private var processors: [String] = []

  init(_ context: CollectorContext) {
    file = context.file("proc/interrupts")
  }

  mutating func collect(into scrape: inout Scrape) throws(CollectorError) {
    var content = try file.read()
    guard var heading = content.line() else {
      throw .malformed(path: file.path, reason: "no heading")
    }
    var names: [String] = []
    while true {
      let word = heading.word()
      guard word.hasPrefix("CPU") else { break }
      names.append(text(Bytes(rebasing: word[3...])))
    }
    lines.beginPass()
    if names != processors {
      // A CPU came or went: all lines are registered anew.
      processors = names
      lines.removeUnseen { for slot in $0 { scrape.release(slot) } }
    }
    while var line = content.line() {
      line.skipSpaces()
      guard let type = line.take(before: UInt8(ascii: ":")) else { continue }
      let slots: [Slot]
      if let known = lines.entry(of: type) {
        slots = known
      } else {
        slots = register(text(type), line, in: &scrape)
        lines.insert(slots, for: type)
      }
      for slot in slots {
        guard let value = line.unsigned() else {
          throw .malformed(path: file.path, reason: "a line with fewer numbers than CPUs")
        }
        scrape[slot] = Double(value)
      }
    }
    lines.removeUnseen { for slot in $0 { scrape.release(slot) } }
  }

  private func register(
    _ type: String, _ line: ByteCursor, in scrape: inout Scrape
  ) -> [Slot] {
    var line = line
    for _ in processors where line.unsigned() == nil {
      // `ERR` and `MIS` have one number for the whole host; node_exporter leaves them out.
      return []
    }
    let words = text(line.rest).split(separator: " ").map(String.init)
    // A numbered line has its controller, then the devices; a named one a description.
    let isNumbered = UInt64(type) != nil
    let information = isNumbered ? words.first ?? "" : words.joined(separator: " ")
    let devices = isNumbered ? words.dropFirst().joined(separator: " ") : ""
    return processors.map { processor in
      scrape.register(
        family,
        ["cpu": processor, "type": type, "info": information, "devices": devices])
    }
  }
}
