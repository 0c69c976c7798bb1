import Glibc
import LifeguardCore
import LifeguardHost
import TestSupport
import Testing

/// Beside a real node_exporter 1.5 of Debian on the same host at the same time.
@Suite struct NodeExporterTests {
  /// Everything in which the two may differ. At most five, each with its reason.
  private static let differences: [(name: String, reason: String)] = [
    ("node_exporter_build_info", "it names the exporter itself"),
    ("node_scrape_collector_", "each program names its own collectors; checked by themselves"),
    ("process_", "each program reports its own process; only families are compared"),
    (
      "node_netstat_TcpExt_TCPOFOQueue node_netstat_TcpExt_TCPRcvQDrop node_netstat_Tcp_MaxConn "
        + "node_softnet_received_rps_total node_softnet_flow_limit_count_total "
        + "node_pressure_irq_stalled_seconds_total",
      "later versions of node_exporter have them, and dashboards read them"
    ),
    (
      "node_processes_",
      "off by default there; the states of all threads, which cost a read each, are left out here"
    ),
  ]

  /// Ours alone: the figures of CloudWatch, other exporters' names, the agent's own.
  private static let own = [
    "CPUUtilization", "MemoryUtilization", "SwapUtilization", "DiskUtilization",
    "InodeUtilization", "NetworkIn", "NetworkOut", "container_", "namedprocess_",
    "node_systemd_", "lifeguard_", "node_tcp_connection_states", "node_interrupts_total",
  ]

  private static let requirement = Requirement.program("prometheus-node-exporter")

  @Test func `the table of differences has at most five rows`() {
    #expect(Self.differences.count <= 5)
  }

  @Test(.enabled(if: requirement.isMet, "\(requirement.reason)"))
  func `families, types, help texts, label sets and values are node_exporter's`() async throws {
    let port = try FreePort.tcp()
    let folder = try TemporaryFolder()
    let exporter = try ChildProgram([
      "prometheus-node-exporter", "--web.listen-address=127.0.0.1:\(port)",
      // The project's own default, which Debian's package widens by /run, /mnt and /media.
      "--collector.filesystem.mount-points-exclude="
        + "^/(dev|proc|run/credentials/.+|sys|var/lib/docker/.+|var/lib/containers/storage/.+)($|/)",
      "--collector.textfile.directory=\(folder.path)",
    ])
    defer { exporter.kill() }
    try #require(await eventually { FreePort.answers(port) })
    var problems: [String] = []
    // The host changes while it is looked at; a real difference shows every time.
    for _ in 0..<5 {
      let before = Self.collect(folder.path)
      let peer = ExpositionText(
        try HTTPExchange.send("GET", "/metrics", port: port).body)
      let after = Self.collect(folder.path)
      problems = Self.compare(peer, before, after)
      if problems.isEmpty { break }
    }
    #expect(problems == [])
  }

  @Test func `every name that node_exporter has by default is there or needs other hardware`()
    throws
  {
    let list = try TextFile.read(
      SourceTree.path("Tests/LifeguardHostTests/Fixtures/node-metrics-default.txt"))
    let names = list.split(separator: "\n").compactMap { $0.split(separator: " ").first }
    #expect(names.count == 193)
    let folder = try TemporaryFolder()
    let found = Set(Self.collect(folder.path).families.keys)
      .union(["node_scrape_collector_duration_seconds", "node_scrape_collector_success"])
    let missing = names.map(String.init).filter { !found.contains($0) }
    #expect(missing.filter { !Self.needsHardware($0) } == [])
  }

  /// Names that a host may lack, with what it takes to have them.
  private static func needsHardware(_ name: String) -> Bool {
    let needs: [(prefix: String, file: String)] = [
      ("node_disk_", "/proc/diskstats"), ("node_nf_conntrack_", "/proc/net/stat/nf_conntrack"),
      ("node_pressure_", "/proc/pressure/cpu"), ("node_arp_entries", "/proc/net/arp"),
      ("node_network_", "/sys/class/net/eth0"), ("node_memory_DirectMap1G", "/sys/kernel/mm/none"),
      ("node_memory_HugePages", "/sys/kernel/mm/hugepages"),
      ("node_memory_Hugepagesize", "/sys/kernel/mm/hugepages"),
      ("node_memory_Zswap", "/sys/module/zswap"),
    ]
    return needs.contains { name.hasPrefix($0.prefix) && access($0.file, F_OK) != 0 }
  }

  private static func collect(_ textfiles: String) -> ExpositionText {
    let processes = ProcessWatch()
    return ExpositionText(
      Collecting(
        CollectorRegistry.defaults(processes: processes), processes: processes,
        textfileDirectory: textfiles
      ).exposition)
  }

  private static func compare(
    _ peer: ExpositionText, _ before: ExpositionText, _ after: ExpositionText
  ) -> [String] {
    var problems: [String] = []
    for (name, theirs) in peer.families.sorted(by: { $0.key < $1.key }) {
      guard name.hasPrefix("node_") || name.hasPrefix("process_") else { continue }
      if isExcused(name) && !name.hasPrefix("process_") { continue }
      guard let first = before.families[name], let ours = after.families[name] else {
        problems.append("\(name): missing")
        continue
      }
      if ours.type != theirs.type {
        problems.append("\(name): type \(ours.type), theirs \(theirs.type)")
      }
      if ours.help != theirs.help {
        problems.append("\(name): help \(ours.help), theirs \(theirs.help)")
      }
      if isExcused(name) { continue }
      if Set(ours.series.keys) != Set(theirs.series.keys) {
        problems.append(
          "\(name): \(ours.series.keys.sorted()), theirs \(theirs.series.keys.sorted())")
      }
      for (labels, value) in theirs.series {
        guard let low = first.series[labels], let high = ours.series[labels] else { continue }
        if !isClose(name, value, low, high) {
          problems.append("\(name)\(labels): \(low) to \(high), theirs \(value)")
        }
      }
    }
    for name in after.families.keys where peer.families[name] == nil {
      if isExcused(name) || own.contains(where: { name.hasPrefix($0) }) { continue }
      problems.append("\(name): theirs has none")
    }
    return problems
  }

  private static func isExcused(_ name: String) -> Bool {
    differences.contains { row in
      row.name.split(separator: " ").contains { part in
        name == part || (part.hasSuffix("_") && name.hasPrefix(String(part)))
      }
    }
  }

  /// Between what we saw before and after, with room for what moves both ways in between.
  private static func isClose(
    _ name: String, _ value: Double, _ before: Double, _ after: Double
  ) -> Bool {
    let (low, high) = (min(before, after), max(before, after))
    if value >= low, value <= high { return true }
    let distance = value < low ? low - value : value - high
    if name.hasPrefix("node_memory_") || name.hasPrefix("node_filesystem_") {
      return distance <= max(0.02 * high.magnitude, 64 * 1024 * 1024)
    }
    // One clock tick of a counter in seconds, a handful of events of any other.
    if name.hasSuffix("_seconds_total") || name.hasPrefix("node_time") { return distance <= 0.05 }
    let gauges = [
      "node_procs_", "node_sockstat_", "node_filefd_", "node_load", "node_nf_", "node_netstat_",
      "node_disk_io_now", "node_arp_", "node_entropy", "node_udp_queues",
    ]
    if gauges.contains(where: { name.hasPrefix($0) }) { return distance <= max(20, 0.05 * high) }
    return distance <= 0.001 * high.magnitude
  }
}
