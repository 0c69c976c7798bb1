import CLinux
import LifeguardCore

/// Attributes of the network devices: state, speed, addresses.
///
/// Nearly all of `/sys/class/net` comes in one netlink answer; the five attributes that do not are
/// read from their files, the constant ones when a device appears.
struct NetworkClassCollector: Collector {
  private static let up: UInt32 = 0x1  // IFF_UP
  /// What the kernel adds to the flags for netlink but not for sysfs: running, lower up, dormant.
  private static let addedFlags: UInt32 = 0x40 | 0x1_0000 | 0x2_0000
  private static let dormantFlag: UInt32 = 0x2_0000
  /// IFLA_OPERSTATE (Documentation/networking/operstates.rst).
  private static let states = [
    "unknown", "notpresent", "down", "lowerlayerdown", "testing", "dormant", "up",
  ]
  private static let megabitBytes = 125_000.0

  private struct Device {
    var index: Int32
    var name: String
    var figures: [Figure]
    var information: (labels: Labels, figure: Figure)?
    var assignType: Double?
    var identifier: Double?
    var nameAssignType: Double?
    var speed: ProcFile
    var duplex: ProcFile
    var isSeen = true
  }

  private let context: CollectorContext
  private let links = LinkTable(LinkSocket(clinux_route_open))
  private var devices: [Device] = []
  private let families = NetworkClassCollector.families()
  private let information = MetricFamily.gauge(
    "node_network_info", "Non-numeric data from /sys/class/net/<iface>, value is always 1.")

  init(_ context: CollectorContext) {
    self.context = context
  }

  mutating func collect(into scrape: inout Scrape) throws(CollectorError) {
    guard context.root.isLive else { throw .absent(what: "netlink in captured files") }
    for index in devices.indices { devices[index].isSeen = false }
    for link in try links.read() {
      let name = text(link.name)
      let found = devices.firstIndex { $0.index == link.index && $0.name == name }
      if found == nil { devices.append(newDevice(name, link)) }
      let index = found ?? devices.count - 1
      devices[index].isSeen = true
      write(link, to: index, in: &scrape)
    }
    for index in devices.indices where !devices[index].isSeen {
      for number in devices[index].figures.indices {
        devices[index].figures[number].release(in: &scrape)
      }
      devices[index].information?.figure.release(in: &scrape)
    }
    devices.removeAll { !$0.isSeen }
  }

  private func newDevice(_ name: String, _ link: clinux_link) -> Device {
    let folder = "sys/class/net/\(name)/"
    let labels: Labels = ["device": name]
    func number(_ file: String) -> Double? {
      // try?: drivers answer EINVAL for an attribute that does not apply to them.
      try? context.file(folder + file).number()
    }
    return Device(
      index: link.index, name: name, figures: families.map { Figure($0, labels) },
      information: nil, assignType: number("addr_assign_type"),
      identifier: hexadecimal(folder + "dev_id"), nameAssignType: number("name_assign_type"),
      speed: context.file(folder + "speed"), duplex: context.file(folder + "duplex"))
  }

  private func hexadecimal(_ path: String) -> Double? {
    // try?: as above.
    guard var content = try? context.file(path).read() else { return nil }
    content.skip(UInt8(ascii: "0"))
    content.skip(UInt8(ascii: "x"))
    return content.hexadecimal().map(Double.init)
  }

  private mutating func write(_ link: clinux_link, to index: Int, in scrape: inout Scrape) {
    let isUp = link.flags & Self.up != 0
    let state = Int(link.operational_state)
    // Speed and duplex exist only while the device is up; sysfs says EINVAL otherwise.
    let speed = isUp ? try? devices[index].speed.number() : nil  // try?: see above
    let values: [Double?] = [
      devices[index].assignType, isUp ? Double(link.carrier) : nil,
      Double(link.carrier_changes), Double(link.carrier_up), Double(link.carrier_down),
      devices[index].identifier, isUp ? (link.flags & Self.dormantFlag != 0 ? 1 : 0) : nil,
      Double(link.flags & ~Self.addedFlags), Double(link.index), Double(link.link),
      Double(link.link_mode), Double(link.mtu), devices[index].nameAssignType,
      Double(link.group), speed.map { $0 * Self.megabitBytes }, Double(link.queue_length),
      Double(link.type), state == 6 ? 1 : 0,
    ]
    for (number, value) in values.enumerated() {
      guard let value else { continue }
      devices[index].figures[number].write(value, to: &scrape)
    }
    var duplex = ""
    // try?: see above.
    if isUp, var content = try? devices[index].duplex.read() { duplex = text(content.word()) }
    let labels: Labels = [
      "device": devices[index].name,
      "address": Self.address(link.address, count: Int(link.address_length)),
      "broadcast": Self.address(link.broadcast, count: Int(link.broadcast_length)),
      "duplex": duplex, "ifalias": text(link.alias),
      "operstate": state < Self.states.count ? Self.states[state] : "unknown",
    ]
    if devices[index].information?.labels != labels {
      devices[index].information?.figure.release(in: &scrape)
      devices[index].information = (labels, Figure(information, labels))
    }
    devices[index].information?.figure.write(1, to: &scrape)
  }

  /// `02:fc:00:00:00:01`
  private static func address<Octets>(_ octets: Octets, count: Int) -> String {
    withUnsafeBytes(of: octets) { raw in
      raw.prefix(count).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }
        .joined(separator: ":")
    }
  }

  /// In the order in which `write` has the values.
  private static func families() -> [MetricFamily] {
    func gauge(_ name: String) -> MetricFamily {
      .gauge("node_network_" + name, "Network device property: \(name)")
    }
    func counter(_ name: String) -> MetricFamily {
      .counter("node_network_" + name, "Network device property: \(name)")
    }
    return [
      gauge("address_assign_type"), gauge("carrier"), counter("carrier_changes_total"),
      counter("carrier_up_changes_total"), counter("carrier_down_changes_total"),
      gauge("device_id"), gauge("dormant"), gauge("flags"), gauge("iface_id"),
      gauge("iface_link"), gauge("iface_link_mode"), gauge("mtu_bytes"),
      gauge("name_assign_type"), gauge("net_dev_group"), gauge("speed_bytes"),
      gauge("transmit_queue_length"), gauge("protocol_type"),
      .gauge("node_network_up", "Value is 1 if operstate is 'up', 0 otherwise."),
    ]
  }
}
