import LifeguardCore

/// The states of systemd's units, asked for over D-Bus (org.freedesktop.systemd1(5)).
struct SystemdCollector: Collector {
  private static let states = ["activating", "active", "deactivating", "failed", "inactive"]
  /// Units of these kinds are counted but have no series of their own, as in node_exporter.
  private static let ignored = [".automount", ".device", ".mount", ".scope", ".slice", ".target"]
  private static let unitsMax = 1000
  private static let manager = "/org/freedesktop/systemd1"
  private static let managerInterface = "org.freedesktop.systemd1.Manager"

  private struct Unit {
    var figures: [Figure]
    var isSeen = true
  }

  struct Listed: Hashable {
    var name: String
    var load: String
    var active: String
    var object: String
  }

  private let root: FileSystemRoot
  private var bus: SystemBus?
  private var units: [String: Unit] = [:]
  private var counts: [Figure]
  private var isRunning = Figure(
    .gauge(
      "node_systemd_system_running",
      "Whether the system is operational (see 'systemctl is-system-running')"))
  private var version: (figure: Figure, value: Double)?
  private let unitState = MetricFamily.gauge("node_systemd_unit_state", "Systemd unit")

  init(_ context: CollectorContext) {
    root = context.root
    let summary = MetricFamily.gauge("node_systemd_units", "Summary of systemd unit states")
    counts = Self.states.map { Figure(summary, ["state": $0]) }
  }

  mutating func collect(into scrape: inout Scrape) throws(CollectorError) {
    do throws(CollectorError) {
      let bus = try connection()
      try ask(bus, into: &scrape)
    } catch {
      // A new connection next time: after a restart of systemd the old one is dead.
      bus = nil
      version = nil
      throw error
    }
  }

  private mutating func connection() throws(CollectorError) -> SystemBus {
    if let bus { return bus }
    let opened = try SystemBus(root)
    bus = opened
    return opened
  }

  private mutating func ask(
    _ bus: SystemBus, into scrape: inout Scrape
  ) throws(CollectorError) {
    let answer = try bus.call(Self.manager, Self.managerInterface, "ListUnits")
    let listed = try Self.units(answer)
    for name in units.keys { units[name]?.isSeen = false }
    var summary = [Double](repeating: 0, count: Self.states.count)
    for unit in listed {
      let state = Self.states.firstIndex(of: unit.active)
      if let state { summary[state] += 1 }
      guard unit.load == "loaded", !Self.ignored.contains(where: { unit.name.hasSuffix($0) })
      else { continue }
      if units[unit.name] == nil {
        guard units.count < Self.unitsMax else { continue }
        units[unit.name] = Unit(figures: try figures(unit, bus))
      }
      units[unit.name]?.isSeen = true
      for index in Self.states.indices {
        units[unit.name]?.figures[index].write(index == state ? 1 : 0, to: &scrape)
      }
    }
    for (name, unit) in units where !unit.isSeen {
      for index in unit.figures.indices { units[name]?.figures[index].release(in: &scrape) }
      units[name] = nil
    }
    for index in counts.indices { counts[index].write(summary[index], to: &scrape) }
    let running = try property(bus, Self.manager, Self.managerInterface, "SystemState")
    isRunning.write(running == "running" ? 1 : 0, to: &scrape)
    try writeVersion(bus, to: &scrape)
  }

  private func figures(_ unit: Listed, _ bus: SystemBus) throws(CollectorError) -> [Figure] {
    var type = ""
    if unit.name.hasSuffix(".service") {
      type = try property(bus, unit.object, "org.freedesktop.systemd1.Service", "Type") ?? ""
    }
    return Self.states.map {
      Figure(unitState, ["name": unit.name, "state": $0, "type": type])
    }
  }

  private func property(
    _ bus: SystemBus, _ object: String, _ interface: String, _ name: String
  ) throws(CollectorError) -> String? {
    var answer = try bus.call(
      object, "org.freedesktop.DBus.Properties", "Get", [interface, name])
    return answer.variantString()
  }

  private mutating func writeVersion(
    _ bus: SystemBus, to scrape: inout Scrape
  ) throws(CollectorError) {
    if version == nil {
      // `252.39-1~deb12u2`: the number is its beginning.
      let text = try property(bus, Self.manager, Self.managerInterface, "Version") ?? ""
      let digits = text.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
      let family = MetricFamily.gauge("node_systemd_version", "Detected systemd version")
      version = (Figure(family, ["version": text]), Double(digits) ?? 0)
    }
    if let value = version?.value { version?.figure.write(value, to: &scrape) }
  }

  /// The answer of ListUnits: an array of name, description, load, active and sub state, followed
  /// unit, object, job number, job type, job object.
  static func units(_ answer: BusReader) throws(CollectorError) -> [Listed] {
    var answer = answer
    guard answer.number() != nil else { throw malformed }
    var listed: [Listed] = []
    while !answer.isAtEnd {
      answer.align(8)
      if answer.isAtEnd { break }
      guard let name = answer.string(), answer.string() != nil, let load = answer.string(),
        let active = answer.string(), answer.string() != nil, answer.string() != nil,
        let object = answer.string(), answer.number() != nil, answer.string() != nil,
        answer.string() != nil
      else { throw malformed }
      listed.append(Listed(name: name, load: load, active: active, object: object))
    }
    return listed
  }

  private static var malformed: CollectorError {
    .malformed(path: "systemd", reason: "its list of units is cut off")
  }
}
