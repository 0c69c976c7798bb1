import LifeguardCore

/// Bytes waiting in the queues of all UDP sockets, from `/proc/net/udp` and `udp6`.
struct UDPQueueCollector: Collector {
  private struct Family {
    var file: ProcFile
    var transmit: Figure
    var receive: Figure
  }

  private var families: [Family]

  init(_ context: CollectorContext) {
    let metric = MetricFamily.gauge(
      "node_udp_queues",
      "Number of allocated memory in the kernel for UDP datagrams in bytes.")
    families = [("udp", "v4"), ("udp6", "v6")].map { file, version in
      Family(
        file: context.file("proc/net/" + file),
        transmit: Figure(metric, ["queue": "tx", "ip": version]),
        receive: Figure(metric, ["queue": "rx", "ip": version]))
    }
  }

  mutating func collect(into scrape: inout Scrape) throws(CollectorError) {
    for index in families.indices {
      do { try read(&families[index], into: &scrape) } catch {
        if index == 0 || !error.isAbsence { throw error }
      }
    }
  }

  private func read(
    _ family: inout Family, into scrape: inout Scrape
  ) throws(CollectorError) {
    var content = try family.file.read()
    guard content.line() != nil else {
      throw .malformed(path: family.file.path, reason: "no heading")
    }
    var (transmit, receive): (UInt64, UInt64) = (0, 0)
    while var line = content.line() {
      // sl local_address rem_address st tx_queue:rx_queue
      line.skipWords(4)
      guard let sent = line.hexadecimal(), line.skip(UInt8(ascii: ":")),
        let received = line.hexadecimal()
      else { throw .malformed(path: family.file.path, reason: "a line without queues") }
      transmit &+= sent
      receive &+= received
    }
    family.transmit.write(Double(transmit), to: &scrape)
    family.receive.write(Double(receive), to: &scrape)
  }
}
