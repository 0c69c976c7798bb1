import CLinux
import LifeguardCore

/// The wall clock, the time zone and the clock sources.
struct TimeCollector: Collector {
  private let root: FileSystemRoot
  private var seconds = Figure(
    .gauge("node_time_seconds", "System time in seconds since epoch (1970)."))
  private var zone: (name: String, figure: Figure)?
  private var sources: (content: String, figures: [Figure])?
  private let zoneFamily = MetricFamily.gauge(
    "node_time_zone_offset_seconds", "System time zone offset in seconds.")
  private let sourceFolder = "sys/devices/system/clocksource/clocksource0/"

  init(_ context: CollectorContext) {
    root = context.root
  }

  mutating func collect(into scrape: inout Scrape) throws(CollectorError) {
    seconds.write(
      Double(clinux_clock_nanoseconds(CLINUX_CLOCK_REALTIME)) / 1e9, to: &scrape)
    var now = clinux_zone()
    if clinux_zone_read(&now) == 0 {
      let name = text(now.name)
      if zone?.name != name {
        zone?.figure.release(in: &scrape)
        zone = (name, Figure(zoneFamily, ["time_zone": name]))
      }
      zone?.figure.write(Double(now.offset_seconds), to: &scrape)
    }
    collectSources(into: &scrape)
  }

  private mutating func collectSources(into scrape: inout Scrape) {
    guard let current = root.line(sourceFolder + "current_clocksource"),
      let available = root.line(sourceFolder + "available_clocksource")
    else { return }
    let content = current + "\n" + available
    if sources?.content != content {
      for index in sources?.figures.indices ?? 0..<0 {
        sources?.figures[index].release(in: &scrape)
      }
      let availableFamily = MetricFamily.gauge(
        "node_time_clocksource_available_info",
        "Available clocksources read from '/sys/devices/system/clocksource'.")
      let currentFamily = MetricFamily.gauge(
        "node_time_clocksource_current_info",
        "Current clocksource read from '/sys/devices/system/clocksource'.")
      var figures = available.split(separator: " ").map {
        Figure(availableFamily, ["device": "0", "clocksource": String($0)])
      }
      figures.append(Figure(currentFamily, ["device": "0", "clocksource": current]))
      sources = (content, figures)
    }
    for index in sources?.figures.indices ?? 0..<0 {
      sources?.figures[index].write(1, to: &scrape)
    }
  }
}
