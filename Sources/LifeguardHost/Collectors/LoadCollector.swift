import LifeguardCore

/// The load averages of `/proc/loadavg` (proc_loadavg(5)).
struct LoadCollector: Collector {
  private let file: ProcFile
  private var figures = [
    Figure(.gauge("node_load1", "1m load average.")),
    Figure(.gauge("node_load5", "5m load average.")),
    Figure(.gauge("node_load15", "15m load average.")),
  ]

  init(_ context: CollectorContext) {
    file = context.file("proc/loadavg")
  }

  mutating func collect(into scrape: inout Scrape) throws(CollectorError) {
    var content = try file.read()
    for index in figures.indices {
      guard let load = content.decimal() else {
        throw .malformed(path: file.path, reason: "fewer than three numbers")
      }
      figures[index].write(load, to: &scrape)
    }
  }
}
