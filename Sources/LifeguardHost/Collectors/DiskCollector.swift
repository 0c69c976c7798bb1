import LifeguardCore

/// Reads, writes, discards and flushes of block devices from `/proc/diskstats`
/// (Documentation/admin-guide/iostats.rst).
struct DiskCollector: Collector {
  private struct Column {
    var family: MetricFamily
    var factor: Double
  }

  private struct Device {
    var slots: [Slot]
    var information: Slot
  }

  private static let sectorBytes = 512.0
  private static let millisecond = 0.001

  private let file: ProcFile
  private let root: FileSystemRoot
  private let columns = DiskCollector.columns()
  private let information = MetricFamily.gauge(
    "node_disk_info", "Info of /sys/block/<block_device>.")
  private var devices = SlotTable<Device?>()

  init(_ context: CollectorContext) {
    file = context.file("proc/diskstats")
    root = context.root
  }

  mutating func collect(into scrape: inout Scrape) throws(CollectorError) {
    var content = try file.read()
    devices.beginPass()
    while var line = content.line() {
      guard let major = line.unsigned(), let minor = line.unsigned() else {
        throw .malformed(path: file.path, reason: "a line without device numbers")
      }
      let name = line.word()
      let device: Device?
      if let known = devices.entry(of: name) {
        device = known
      } else {
        device = newDevice(text(name), major: major, minor: minor, count: line, in: &scrape)
        devices.insert(device, for: name)
      }
      guard let device else { continue }
      scrape[device.information] = 1
      for (index, slot) in device.slots.enumerated() {
        guard let value = line.unsigned() else {
          throw .malformed(path: file.path, reason: "\(text(name)) has too few numbers")
        }
        scrape[slot] = Double(value) * columns[index].factor
      }
    }
    devices.removeUnseen { device in
      for slot in device?.slots ?? [] { scrape.release(slot) }
      if let device { scrape.release(device.information) }
    }
  }

  private func newDevice(
    _ name: String, major: UInt64, minor: UInt64, count line: ByteCursor, in scrape: inout Scrape
  ) -> Device? {
    guard !Self.isIgnored(name) else { return nil }
    // 11 numbers before Linux 4.18, 15 before 5.5, 17 today.
    var rest = line
    var present = 0
    while present < columns.count, rest.unsigned() != nil { present += 1 }
    let labels: Labels = ["device": name]
    return Device(
      slots: columns[..<present].map { scrape.register($0.family, labels) },
      information: scrape.register(
        information, informationLabels(name, major: major, minor: minor)))
  }

  /// What udev knows about the device (`/run/udev/data/b<major>:<minor>`, systemd's own format).
  private func informationLabels(_ name: String, major: UInt64, minor: UInt64) -> Labels {
    var labels: Labels = ["device": name, "major": "\(major)", "minor": "\(minor)"]
    let names = [
      "ID_PATH": "path", "ID_WWN": "wwn", "ID_MODEL": "model", "ID_SERIAL_SHORT": "serial",
      "ID_REVISION": "revision",
    ]
    let content = root.contents("run/udev/data/b\(major):\(minor)") ?? ""
    for line in content.split(separator: "\n") where line.hasPrefix("E:") {
      let parts = line.dropFirst(2).split(separator: "=", maxSplits: 1)
      guard parts.count == 2, let label = names[String(parts[0])] else { continue }
      labels[label] = String(parts[1])
    }
    return labels
  }

  /// node_exporter's default: no RAM disks, loops, floppies, and no partitions.
  static func isIgnored(_ name: String) -> Bool {
    var stem = name[...]
    while let last = stem.last, last.isASCII, last.isNumber { stem.removeLast() }
    guard stem.count < name.count else { return false }
    if ["ram", "loop", "fd"].contains(stem) { return true }
    for prefix in ["hd", "sd", "vd", "xvd"]
    where stem.hasPrefix(prefix) && stem.count == prefix.count + 1 {
      return stem.last.map { $0 >= "a" && $0 <= "z" } ?? false
    }
    // nvme<n>n<n>p<n>
    let parts = stem.dropFirst(4).split(separator: "n", omittingEmptySubsequences: false)
    return stem.hasPrefix("nvme") && stem.hasSuffix("p") && parts.count == 2
      && Int(parts[0]) != nil && Int(parts[1].dropLast()) != nil
  }

  private static func columns() -> [Column] {
    func counter(_ name: String, _ help: String, _ factor: Double = 1) -> Column {
      Column(family: .counter("node_disk_" + name, help), factor: factor)
    }
    return [
      counter("reads_completed_total", "The total number of reads completed successfully."),
      counter("reads_merged_total", "The total number of reads merged."),
      counter("read_bytes_total", "The total number of bytes read successfully.", sectorBytes),
      counter(
        "read_time_seconds_total", "The total number of seconds spent by all reads.", millisecond),
      counter("writes_completed_total", "The total number of writes completed successfully."),
      counter("writes_merged_total", "The number of writes merged."),
      counter(
        "written_bytes_total", "The total number of bytes written successfully.", sectorBytes),
      counter(
        "write_time_seconds_total", "This is the total number of seconds spent by all writes.",
        millisecond),
      Column(
        family: .gauge("node_disk_io_now", "The number of I/Os currently in progress."), factor: 1),
      counter("io_time_seconds_total", "Total seconds spent doing I/Os.", millisecond),
      counter(
        "io_time_weighted_seconds_total", "The weighted # of seconds spent doing I/Os.",
        millisecond),
      counter(
        "discards_completed_total", "The total number of discards completed successfully."),
      counter("discards_merged_total", "The total number of discards merged."),
      counter(
        "discarded_sectors_total", "The total number of sectors discarded successfully."),
      counter(
        "discard_time_seconds_total",
        "This is the total number of seconds spent by all discards.", millisecond),
      counter(
        "flush_requests_total", "The total number of flush requests completed successfully"),
      counter(
        "flush_requests_time_seconds_total",
        "This is the total number of seconds spent by all flush requests.", millisecond),
    ]
  }
}
