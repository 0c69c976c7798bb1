import CLinux
import Glibc
import LifeguardCore

/// What this agent itself uses, under the names that every Prometheus client gives its process.
struct OwnProcessCollector: Collector {
  private let statistics: ProcFile
  private let limits: ProcFile
  private let directory: OpenDirectory
  private let host: HostInfo
  private let bootSeconds: Double
  private var processor = Figure(
    .counter("process_cpu_seconds_total", "Total user and system CPU time spent in seconds."))
  private var resident = Figure(
    .gauge("process_resident_memory_bytes", "Resident memory size in bytes."))
  private var virtual = Figure(
    .gauge("process_virtual_memory_bytes", "Virtual memory size in bytes."))
  private var virtualMax = Figure(
    .gauge(
      "process_virtual_memory_max_bytes",
      "Maximum amount of virtual memory available in bytes."))
  private var started = Figure(
    .gauge(
      "process_start_time_seconds", "Start time of the process since unix epoch in seconds."))
  private var open = Figure(.gauge("process_open_fds", "Number of open file descriptors."))
  private var openMax = Figure(
    .gauge("process_max_fds", "Maximum number of open file descriptors."))

  init(_ context: CollectorContext) {
    statistics = context.file("proc/self/stat")
    limits = context.file("proc/self/limits")
    directory = OpenDirectory(context.root.path("proc/self/fd"))
    host = context.host
    bootSeconds =
      Double(
        clinux_clock_nanoseconds(CLINUX_CLOCK_REALTIME)
          - clinux_clock_nanoseconds(CLINUX_CLOCK_BOOTTIME)) / 1e9
  }

  mutating func collect(into scrape: inout Scrape) throws(CollectorError) {
    var content = try statistics.read()
    guard let process = ProcessStatistics(&content) else {
      throw .malformed(path: statistics.path, reason: "too few columns")
    }
    let ticks = Double(host.ticksPerSecond)
    processor.write(Double(process.userTicks + process.systemTicks) / ticks, to: &scrape)
    resident.write(Double(process.residentPages) * Double(host.pageBytes), to: &scrape)
    virtual.write(Double(process.virtualBytes), to: &scrape)
    started.write(bootSeconds + Double(process.startTicks) / ticks, to: &scrape)
    let count = directory.number >= 0 ? clinux_count_entries(directory.number) : -1
    if count >= 0 { open.write(Double(count), to: &scrape) }
    try collectLimits(into: &scrape)
  }

  private mutating func collectLimits(into scrape: inout Scrape) throws(CollectorError) {
    var content = try limits.read()
    while var line = content.line() {
      let all = line.rest
      if all.hasPrefix("Max open files") {
        line.skipWords(3)
        openMax.write(Self.limit(&line), to: &scrape)
      } else if all.hasPrefix("Max address space") {
        line.skipWords(3)
        virtualMax.write(Self.limit(&line), to: &scrape)
      }
    }
  }

  /// `unlimited` is the largest number, as the Prometheus clients give it.
  private static func limit(_ line: inout ByteCursor) -> Double {
    if let value = line.unsigned() { return Double(value) }
    return Double(UInt64.max)
  }
}
