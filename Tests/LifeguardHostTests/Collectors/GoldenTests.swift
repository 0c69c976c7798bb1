import LifeguardCore
import LifeguardHost
import TestSupport
import Testing

/// Captured files, and what the collectors make of them.
@Suite struct GoldenTests {
  private static let folder = SourceTree.path("Tests/LifeguardHostTests/Fixtures/linux-6.18")
  /// Those that read nothing but files.
  private static let collectors = [
    "cpu", "meminfo", "loadavg", "vmstat", "diskstats", "netdev", "pressure", "filefd", "sockstat",
    "softnet", "netstat", "conntrack", "udp_queues", "arp", "entropy", "os", "selinux",
  ]

  private static func collect(_ root: String, rounds: Int = 1) -> Collecting {
    let all = CollectorRegistry.all(processes: ProcessWatch())
    return Collecting(
      all.filter { collectors.contains($0.name) }, root: FileSystemRoot(root), rounds: rounds)
  }

  @Test func `files captured on Linux 6_18 give exactly the series of the golden file`() throws {
    let collected = Self.collect(Self.folder)
    #expect(collected.failures == [:])
    let path = Self.folder + "/expected.prom"
    // `UPDATE_GOLDEN=1 swift test` rewrites it; the difference is to be looked at.
    if ProcessEnvironment.isSet("UPDATE_GOLDEN") {
      try TextFile.write(collected.exposition, to: path)
    }
    let expected = try TextFile.read(path)
    #expect(collected.exposition == expected)
  }

  @Test func `percentages follow from the captured numbers`() throws {
    let collected = Self.collect(Self.folder)
    let total = try #require(collected.value("node_memory_MemTotal_bytes"))
    let available = try #require(collected.value("node_memory_MemAvailable_bytes"))
    let memory = try #require(collected.value("MemoryUtilization"))
    #expect(abs(memory - 100 * (1 - available / total)) < 1e-9)
    #expect(collected.value("SwapUtilization") == 0)
    #expect(collected.value("CPUUtilization") == nil, "one reading is not a rate")
  }

  @Test func `CPU time in use counts neither idle nor waiting for I/O`() throws {
    let folder = try TemporaryFolder()
    try folder.makeFolder("proc")
    let stat = folder / "proc/stat"
    try TextFile.write("cpu 100 0 100 700 100 0 0 0 0 0\n", to: stat)
    let registration = CollectorRegistry.all(processes: ProcessWatch()).filter {
      $0.name == "cpu"
    }
    let context = CollectorContext(root: FileSystemRoot(folder.path), host: HostInfo())
    var collector = try #require(registration.first).make(context)
    var scrape = Scrape()
    try collector.collect(into: &scrape)
    _ = scrape.finish()
    try TextFile.write("cpu 130 0 110 740 120 0 0 0 0 0\n", to: stat)
    try collector.collect(into: &scrape)
    let (values, started, _) = scrape.finish()
    let slot = try #require(started.first { $0.family.name == "CPUUtilization" }?.slot)
    #expect(values[slot] == 40)
  }

  @Test(arguments: [
    ("   8 0 sda 1 2 3 4 5 6 7 8 9 10 11\n", 11),
    ("   8 0 sda 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15\n", 15),
    ("   8 0 sda 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17\n", 17),
  ])
  func `disks of older kernels have the columns that their kernel gives`(
    line: String, columns: Int
  ) throws {
    let folder = try TemporaryFolder()
    try folder.makeFolder("proc")
    try TextFile.write(line, to: folder / "proc/diskstats")
    let collected = Collecting("diskstats", root: FileSystemRoot(folder.path))
    #expect(collected.series.count == columns + 1)
    #expect(collected.value("node_disk_read_bytes_total", ["device": "sda"]) == 1536.0)
    #expect(collected.value("node_disk_io_now", ["device": "sda"]) == 9.0)
  }

  @Test func `partitions, loops and RAM disks are left out, whole disks are not`() throws {
    let folder = try TemporaryFolder()
    try folder.makeFolder("proc")
    let names = [
      "sda", "sda1", "vdb12", "xvda1", "nvme0n1", "nvme0n1p2", "loop3", "ram0", "fd0", "zram0",
      "dm-0", "md127", "mmcblk0",
    ]
    let lines = names.map { "8 0 \($0) 1 2 3 4 5 6 7 8 9 10 11" }.joined(separator: "\n")
    try TextFile.write(lines + "\n", to: folder / "proc/diskstats")
    let collected = Collecting("diskstats", root: FileSystemRoot(folder.path))
    let devices = Set(collected.series.compactMap { $0.labels["device"] })
    #expect(devices == ["sda", "nvme0n1", "zram0", "dm-0", "md127", "mmcblk0"])
  }
}
