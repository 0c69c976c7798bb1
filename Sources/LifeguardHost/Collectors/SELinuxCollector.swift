import LifeguardCore

/// Whether SELinux is on, from its file system (selinux(8)).
struct SELinuxCollector: Collector {
  private let root: FileSystemRoot
  private let enforce: ProcFile
  private var enabled = Figure(
    .gauge("node_selinux_enabled", "SELinux is enabled, 1 is true, 0 is false"))
  private var current = Figure(
    .gauge("node_selinux_current_mode", "Current SELinux enforcement mode"))
  private var configured = Figure(
    .gauge("node_selinux_config_mode", "Configured SELinux enforcement mode"))

  init(_ context: CollectorContext) {
    root = context.root
    enforce = context.file("sys/fs/selinux/enforce")
  }

  mutating func collect(into scrape: inout Scrape) throws(CollectorError) {
    // try?: no such file means that SELinux is not there, which is an answer.
    guard let mode = try? enforce.number() else {
      enabled.write(0, to: &scrape)
      return
    }
    enabled.write(1, to: &scrape)
    current.write(mode, to: &scrape)
    let fields = OperatingSystemCollector.fields(root.contents("etc/selinux/config") ?? "")
    let modes = ["enforcing": 1.0, "permissive": 0, "disabled": -1]
    configured.write(modes[fields["SELINUX"] ?? ""] ?? -1, to: &scrape)
  }
}
