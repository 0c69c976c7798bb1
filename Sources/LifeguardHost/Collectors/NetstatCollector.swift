import LifeguardCore

/// Counters of the network protocols from `/proc/net/netstat`, `snmp` and `snmp6`.
///
/// The first two files have pairs of lines, names and numbers; the third a name and a number on
/// each line. Of some three hundred the ones that node_exporter takes by default, and three more
/// that its later versions take (`TCPOFOQueue`, `TCPRcvQDrop`, `MaxConn`), which dashboards read.
struct NetstatCollector: Collector {
  /// What a pair of lines means, worked out once for each heading.
  private struct Heading {
    var bytes: [UInt8]
    /// The wanted columns in rising order.
    var columns: [(index: Int, slot: Slot)]
  }

  private let pairs: [ProcFile]
  private let single: ProcFile
  private var headings = SlotTable<Int>()
  private var store: [Heading] = []
  private var names = SlotTable<Slot?>()

  init(_ context: CollectorContext) {
    pairs = [context.file("proc/net/netstat"), context.file("proc/net/snmp")]
    single = context.file("proc/net/snmp6")
  }

  mutating func collect(into scrape: inout Scrape) throws(CollectorError) {
    headings.beginPass()
    for file in pairs {
      var content = try file.read()
      while let names = content.line() {
        guard let values = content.line() else {
          throw .malformed(path: file.path, reason: "a heading without numbers")
        }
        try readPair(names, values, of: file, into: &scrape)
      }
    }
    do { try readSingle(into: &scrape) } catch {
      // A kernel without IPv6 has no such file.
      if !error.isAbsence { throw error }
    }
  }

  private mutating func readPair(
    _ names: ByteCursor, _ values: ByteCursor, of file: ProcFile, into scrape: inout Scrape
  ) throws(CollectorError) {
    var (names, values) = (names, values)
    let heading = names.rest
    guard let name = names.take(before: UInt8(ascii: ":")),
      let again = values.take(before: UInt8(ascii: ":")), again.equals(Array(name))
    else { throw .malformed(path: file.path, reason: "two lines of different protocols") }
    let index: Int
    if let known = headings.entry(of: name) {
      index = known
      if !heading.equals(store[index].bytes) {
        // IcmpMsg has a column for each type of message that has occurred.
        for column in store[index].columns { scrape.release(column.slot) }
        store[index] = newHeading(heading, protocolName: text(name), names, in: &scrape)
      }
    } else {
      index = store.count
      store.append(newHeading(heading, protocolName: text(name), names, in: &scrape))
      headings.insert(index, for: name)
    }
    var next = 0
    for column in store[index].columns {
      values.skipWords(column.index - next)
      next = column.index + 1
      guard let value = values.signed() else {
        throw .malformed(path: file.path, reason: "\(text(name)) has fewer numbers than names")
      }
      scrape[column.slot] = Double(value)
    }
  }

  private func newHeading(
    _ bytes: Bytes, protocolName: String, _ names: ByteCursor, in scrape: inout Scrape
  ) -> Heading {
    var columns: [(index: Int, slot: Slot)] = []
    for (index, name) in text(names.rest).split(separator: " ").enumerated() {
      guard let slot = slot(protocolName, String(name), in: &scrape) else { continue }
      columns.append((index: index, slot: slot))
    }
    return Heading(bytes: Array(bytes), columns: columns)
  }

  private mutating func readSingle(into scrape: inout Scrape) throws(CollectorError) {
    var content = try single.read()
    names.beginPass()
    while var line = content.line() {
      let key = line.word()
      let slot: Slot?
      if let known = names.entry(of: key) {
        slot = known
      } else {
        // `Udp6InErrors`: the protocol ends with its 6.
        let whole = text(key)
        let digit = whole.firstIndex(of: "6") ?? whole.startIndex
        let split = whole.index(digit, offsetBy: whole.isEmpty ? 0 : 1)
        slot = self.slot(String(whole[..<split]), String(whole[split...]), in: &scrape)
        names.insert(slot, for: key)
      }
      guard let slot else { continue }
      guard let value = line.unsigned() else {
        throw .malformed(path: single.path, reason: "\(text(key)) has no number")
      }
      scrape[slot] = Double(value)
    }
  }

  private func slot(
    _ protocolName: String, _ name: String, in scrape: inout Scrape
  ) -> Slot? {
    guard Self.isWanted(protocolName, name) else { return nil }
    return scrape.register(
      .untyped("node_netstat_\(protocolName)_\(name)", "Statistic \(protocolName)\(name)."))
  }

  /// node_exporter's `--collector.netstat.fields`, written out.
  static func isWanted(_ protocolName: String, _ name: String) -> Bool {
    if name == "InErrors" || name == "InErrs" { return true }
    switch protocolName {
    case "Ip": return name == "Forwarding"
    case "Ip6", "IpExt": return name == "InOctets" || name == "OutOctets"
    case "Icmp", "Icmp6": return name == "InMsgs" || name == "OutMsgs"
    case "TcpExt":
      return name.hasPrefix("Listen") || name.hasPrefix("Syncookies")
        || ["TCPSynRetrans", "TCPTimeouts", "TCPOFOQueue", "TCPRcvQDrop"].contains(name)
    case "Tcp":
      return [
        "ActiveOpens", "InSegs", "OutSegs", "OutRsts", "PassiveOpens", "RetransSegs", "CurrEstab",
        "MaxConn",
      ].contains(name)
    case "Udp", "Udp6":
      return ["InDatagrams", "OutDatagrams", "NoPorts", "RcvbufErrors", "SndbufErrors"]
        .contains(name)
    default: return false
    }
  }
}
