import CLinux
import Glibc
import LifeguardCore

/// Bytes, packets and errors of the network devices, and what goes through all of them together.
///
/// Asked by netlink: RTM_GETSTATS gives the counters alone for all devices at once (Linux 4.7).
/// For captured files `/proc/net/dev` is read, which lacks `nohandler`.
struct NetworkDeviceCollector: Collector {
  private struct Device {
    var index: Int32
    var name: String
    var slots: [Slot]
    var received: UInt64 = 0
    var sent: UInt64 = 0
    var isNew = true
    var isSeen = false
    /// node_exporter as Debian runs it leaves the loopback out, and so do the figures.
    var isLoopback: Bool
  }

  /// Names change so seldom that they are asked for only this often, in collections.
  private static let namesEvery = 60

  private let file: ProcFile
  private let isLive: Bool
  private let links: LinkTable
  private let route = LinkSocket(clinux_route_open)
  private let statistics: UnsafeMutableBufferPointer<clinux_link_statistics>
  private let owner: StatisticsMemory
  private var devices: [Device] = []
  private var collectionsUntilNames = 0
  private var before: Duration?
  private let families = NetworkDeviceCollector.families()
  private var networkIn = Figure(
    .gauge("NetworkIn", "Bytes a second received by all network devices but the loopback."))
  private var networkOut = Figure(
    .gauge("NetworkOut", "Bytes a second sent by all network devices but the loopback."))

  init(_ context: CollectorContext) {
    file = context.file("proc/net/dev")
    isLive = context.root.isLive
    links = LinkTable(route)
    owner = StatisticsMemory()
    statistics = owner.memory
  }

  mutating func collect(into scrape: inout Scrape) throws(CollectorError) {
    for index in devices.indices { devices[index].isSeen = false }
    var traffic = Traffic()
    if isLive {
      try collectLinks(into: &scrape, &traffic)
    } else {
      try collectFile(into: &scrape, &traffic)
    }
    for device in devices where !device.isSeen {
      for slot in device.slots { scrape.release(slot) }
    }
    devices.removeAll { !$0.isSeen }
    if let before, scrape.boottime > before {
      let seconds = (scrape.boottime - before).seconds
      networkIn.write(Double(traffic.received) / seconds, to: &scrape)
      networkOut.write(Double(traffic.sent) / seconds, to: &scrape)
    }
    before = scrape.boottime
  }

  /// Bytes since the collection before.
  private struct Traffic {
    var received: UInt64 = 0
    var sent: UInt64 = 0
  }

  private mutating func collectLinks(
    into scrape: inout Scrape, _ traffic: inout Traffic
  ) throws(CollectorError) {
    if collectionsUntilNames <= 0 { try readNames(in: &scrape) }
    collectionsUntilNames -= 1
    let count = try route.ask("link statistics") { socket, memory in
      clinux_link_statistics_read(
        socket, memory.baseAddress, memory.count, statistics.baseAddress, statistics.count)
    }
    for number in 0..<count {
      let link = statistics[number]
      var found = find(link.index, from: number)
      if found == nil {
        // A device that has come since: its name is needed once.
        try readNames(in: &scrape)
        found = find(link.index, from: number)
      }
      guard let found else { continue }
      write(link.counters, to: found, in: &scrape, &traffic)
    }
  }

  /// The kernel lists devices in a steady order, so the place is nearly always the one expected.
  private func find(_ index: Int32, from expected: Int) -> Int? {
    if expected < devices.count, devices[expected].index == index { return expected }
    return devices.firstIndex { $0.index == index }
  }

  private mutating func readNames(in scrape: inout Scrape) throws(CollectorError) {
    collectionsUntilNames = Self.namesEvery
    for link in try links.read() {
      let name = text(link.name)
      if let known = devices.firstIndex(where: { $0.index == link.index }) {
        guard devices[known].name != name else { continue }
        for slot in devices[known].slots { scrape.release(slot) }
        devices.remove(at: known)
      }
      addDevice(name, index: link.index, isLoopback: link.type == 772, in: &scrape)
    }
  }

  private mutating func addDevice(
    _ name: String, index: Int32, isLoopback: Bool, in scrape: inout Scrape
  ) {
    let labels: Labels = ["device": name]
    devices.append(
      Device(
        index: index, name: name,
        slots: isLoopback ? [] : families.map { scrape.register($0, labels) },
        isLoopback: isLoopback))
  }

  private mutating func write(
    _ link: clinux_link_counters, to index: Int, in scrape: inout Scrape,
    _ traffic: inout Traffic
  ) {
    devices[index].isSeen = true
    guard !devices[index].isLoopback else { return }
    note(received: link.rx_bytes, sent: link.tx_bytes, of: index, &traffic)
    // The older names gather several counters of the kernel, as /proc/net/dev does
    // (node_exporter, netdev_linux.go, `legacy`; net/core/net-procfs.c).
    let values:
      (
        UInt64, UInt64, UInt64, UInt64, UInt64, UInt64, UInt64, UInt64, UInt64,
        UInt64, UInt64, UInt64, UInt64, UInt64, UInt64, UInt64, UInt64
      ) = (
        link.rx_bytes, link.rx_packets, link.rx_errors, link.rx_dropped &+ link.rx_missed_errors,
        link.rx_fifo_errors,
        link.rx_frame_errors &+ link.rx_length_errors &+ link.rx_over_errors
          &+ link.rx_crc_errors,
        link.rx_compressed, link.multicast, link.rx_nohandler,
        link.tx_bytes, link.tx_packets, link.tx_errors, link.tx_dropped, link.tx_fifo_errors,
        link.collisions,
        link.tx_carrier_errors &+ link.tx_aborted_errors &+ link.tx_heartbeat_errors
          &+ link.tx_window_errors,
        link.tx_compressed
      )
    withUnsafeBytes(of: values) { raw in
      for (column, value) in raw.bindMemory(to: UInt64.self).enumerated() {
        scrape[devices[index].slots[column]] = Double(value)
      }
    }
  }

  private mutating func note(
    received: UInt64, sent: UInt64, of index: Int, _ traffic: inout Traffic
  ) {
    // A device that is new, or whose counters were reset, has moved nothing that we know of.
    if !devices[index].isNew {
      if received > devices[index].received {
        traffic.received &+= received - devices[index].received
      }
      if sent > devices[index].sent { traffic.sent &+= sent - devices[index].sent }
    }
    devices[index].isNew = false
    devices[index].received = received
    devices[index].sent = sent
  }

  /// `/proc/net/dev` has 8 columns for receiving and 8 for sending.
  private mutating func collectFile(
    into scrape: inout Scrape, _ traffic: inout Traffic
  ) throws(CollectorError) {
    var content = try file.read()
    guard content.line() != nil, content.line() != nil else {
      throw .malformed(path: file.path, reason: "no heading")
    }
    let columns = [0, 1, 2, 3, 4, 5, 6, 7, 9, 10, 11, 12, 13, 14, 15, 16]
    while var line = content.line() {
      line.skipSpaces()
      guard let name = line.take(before: UInt8(ascii: ":")).map({ text($0) }) else {
        throw .malformed(path: file.path, reason: "a line without a colon")
      }
      if !devices.contains(where: { $0.name == name }) {
        addDevice(name, index: -1, isLoopback: name == "lo", in: &scrape)
      }
      guard let index = devices.firstIndex(where: { $0.name == name }) else { continue }
      devices[index].isSeen = true
      var values: [UInt64] = []
      while let value = line.unsigned() { values.append(value) }
      guard values.count == columns.count else {
        throw .malformed(path: file.path, reason: "\(name) has \(values.count) columns, not 16")
      }
      guard !devices[index].isLoopback else { continue }
      note(received: values[0], sent: values[8], of: index, &traffic)
      for (value, column) in zip(values, columns) {
        scrape[devices[index].slots[column]] = Double(value)
      }
    }
  }

  private static func families() -> [MetricFamily] {
    let names = [
      "receive_bytes", "receive_packets", "receive_errs", "receive_drop", "receive_fifo",
      "receive_frame", "receive_compressed", "receive_multicast", "receive_nohandler",
      "transmit_bytes", "transmit_packets", "transmit_errs", "transmit_drop", "transmit_fifo",
      "transmit_colls", "transmit_carrier", "transmit_compressed",
    ]
    return names.map {
      .counter("node_network_\($0)_total", "Network device statistic \($0).")
    }
  }
}

/// Room for the counters of as many devices as are read.
private final class StatisticsMemory {
  let memory = UnsafeMutableBufferPointer<clinux_link_statistics>.allocate(
    capacity: LinkSocket.devicesMax)
  deinit { memory.deallocate() }
}
