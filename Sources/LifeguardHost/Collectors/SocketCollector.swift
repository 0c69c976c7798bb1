import LifeguardCore

/// Sockets by protocol from `/proc/net/sockstat` and `sockstat6` (proc_pid_net(5)).
struct SocketCollector: Collector {
  private struct ProtocolFields {
    /// A slot for each pair of name and number on the line, in order.
    var fields: [Field]
  }

  private struct Field {
    var name: [UInt8]
    var slot: Slot
    /// `mem` counts pages; a second series has it in bytes.
    var bytes: Slot?
  }

  private let files: [ProcFile]
  private let pageBytes: Double
  private var protocols = SlotTable<ProtocolFields>()

  init(_ context: CollectorContext) {
    files = [context.file("proc/net/sockstat"), context.file("proc/net/sockstat6")]
    pageBytes = Double(context.host.pageBytes)
  }

  mutating func collect(into scrape: inout Scrape) throws(CollectorError) {
    protocols.beginPass()
    try read(files[0], into: &scrape)
    do { try read(files[1], into: &scrape) } catch {
      // A kernel without IPv6 has no such file.
      if !error.isAbsence { throw error }
    }
    protocols.removeUnseen { known in
      for field in known.fields {
        scrape.release(field.slot)
        if let bytes = field.bytes { scrape.release(bytes) }
      }
    }
  }

  private mutating func read(
    _ file: ProcFile, into scrape: inout Scrape
  ) throws(CollectorError) {
    var content = try file.read()
    while var line = content.line() {
      guard let name = line.take(before: UInt8(ascii: ":")) else {
        throw .malformed(path: file.path, reason: "a line without a colon")
      }
      let known: ProtocolFields
      if let entry = protocols.entry(of: name) {
        known = entry
      } else {
        known = newProtocol(text(name), line, in: &scrape)
        protocols.insert(known, for: name)
      }
      for field in known.fields {
        guard line.word().equals(field.name), let value = line.unsigned() else {
          throw .malformed(path: file.path, reason: "\(text(name)) has other fields than before")
        }
        scrape[field.slot] = Double(value)
        if let bytes = field.bytes { scrape[bytes] = Double(value) * pageBytes }
      }
    }
  }

  private func newProtocol(
    _ name: String, _ line: ByteCursor, in scrape: inout Scrape
  ) -> ProtocolFields {
    var line = line
    var fields: [Field] = []
    while true {
      let word = line.word()
      guard !word.isEmpty, line.unsigned() != nil else { break }
      let field = text(word)
      if name == "sockets" {
        let family = MetricFamily.gauge(
          "node_sockstat_sockets_\(field)", "Number of IPv4 sockets in use.")
        fields.append(Field(name: Array(word), slot: scrape.register(family), bytes: nil))
        continue
      }
      let family = MetricFamily.gauge(
        "node_sockstat_\(name)_\(field)", "Number of \(name) sockets in state \(field).")
      let bytes = MetricFamily.gauge(
        "node_sockstat_\(name)_mem_bytes", "Number of \(name) sockets in state mem_bytes.")
      fields.append(
        Field(
          name: Array(word), slot: scrape.register(family),
          bytes: field == "mem" ? scrape.register(bytes) : nil))
    }
    return ProtocolFields(fields: fields)
  }
}
