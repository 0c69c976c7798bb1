import CLinux
import LifeguardCore

/// The kernel's names for itself and the host, from uname(2).
struct UnameCollector: Collector {
  private let family = MetricFamily.gauge(
    "node_uname_info", "Labeled system information as provided by the uname system call.")
  private var labels = Labels()
  private var figure: Figure?

  init(_ context: CollectorContext) {}

  mutating func collect(into scrape: inout Scrape) throws(CollectorError) {
    var names = clinux_names()
    let error = clinux_names_read(&names)
    guard error == 0 else { throw .unavailable(path: "uname", errno: -error) }
    let now: Labels = [
      "sysname": text(names.system), "release": text(names.release),
      "version": text(names.version), "machine": text(names.machine),
      "nodename": text(names.node), "domainname": text(names.domain),
    ]
    if now != labels {
      // The host was renamed: another series.
      figure?.release(in: &scrape)
      figure = Figure(family, now)
      labels = now
    }
    figure?.write(1, to: &scrape)
  }
}
