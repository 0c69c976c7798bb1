import LifeguardCore
import LifeguardHost
import TestSupport
import Testing

/// What a kernel never writes: files cut off and files with bytes changed.
@Suite struct FuzzTests {
  private static let source = SourceTree.path("Tests/LifeguardHostTests/Fixtures/linux-6.18")

  /// Each file with the collector that reads it.
  private static let files: [(file: String, collector: String)] = [
    ("proc/stat", "cpu"), ("proc/meminfo", "meminfo"), ("proc/loadavg", "loadavg"),
    ("proc/vmstat", "vmstat"), ("proc/diskstats", "diskstats"), ("proc/net/dev", "netdev"),
    ("proc/pressure/io", "pressure"), ("proc/sys/fs/file-nr", "filefd"),
    ("proc/net/sockstat", "sockstat"), ("proc/net/softnet_stat", "softnet"),
    ("proc/net/netstat", "netstat"), ("proc/net/snmp", "netstat"), ("proc/net/snmp6", "netstat"),
    ("proc/net/stat/nf_conntrack", "conntrack"), ("proc/net/udp", "udp_queues"),
    ("proc/net/arp", "arp"), ("etc/os-release", "os"),
  ]

  /// Read beside them.
  private static let others = [
    "proc/pressure/cpu", "proc/pressure/memory", "proc/net/sockstat6", "proc/net/udp6",
    "proc/sys/net/netfilter/nf_conntrack_count", "proc/sys/net/netfilter/nf_conntrack_max",
  ]

  @Test(arguments: files)
  func `a damaged file gives an error or values, never a crash`(
    file: String, collector name: String
  ) throws {
    let original = try TextFile.bytes(Self.source + "/" + file)
    let folder = try TemporaryFolder()
    for other in Self.files.map(\.file) + Self.others {
      let parts = other.split(separator: "/").dropLast().joined(separator: "/")
      try folder.makeFolder(parts)
      try TextFile.write(bytes: try TextFile.bytes(Self.source + "/" + other), to: folder / other)
    }
    let registrations = CollectorRegistry.all(processes: ProcessWatch())
    let registration = try #require(registrations.first { $0.name == name })
    let context = CollectorContext(
      root: FileSystemRoot(folder.path), host: HostInfo(root: Self.source))
    var random = SplitMix(seed: UInt64(file.utf8.reduce(7) { $0 &* 31 &+ UInt64($1) }))
    // One collector for all rounds: what it has learned from one file meets the next one.
    var collector = registration.make(context)
    var scrape = Scrape()
    var failures = 0
    for _ in 0..<400 {
      try TextFile.write(bytes: Self.damaged(original, &random), to: folder / file)
      do { try collector.collect(into: &scrape) } catch { failures += 1 }
      let (values, _, _) = scrape.finish()
      #expect(values.count < 20_000, "slots are given back")
    }
    try TextFile.write(bytes: original, to: folder / file)
    #expect(throws: Never.self) { try collector.collect(into: &scrape) }
    if name != "os" { #expect(failures > 0, "damage is noticed") }
  }

  private static func damaged(_ original: [UInt8], _ random: inout SplitMix) -> [UInt8] {
    var bytes = original
    switch random.next() % 4 {
    case 0: bytes.removeLast(Int(random.next() % UInt64(bytes.count + 1)))
    case 1:
      for _ in 0..<(1 + random.next() % 8) where !bytes.isEmpty {
        bytes[Int(random.next() % UInt64(bytes.count))] = UInt8(truncatingIfNeeded: random.next())
      }
    case 2:
      let at = Int(random.next() % UInt64(bytes.count))
      let count = min(Int(random.next() % 64), bytes.count - at)
      bytes.removeSubrange(at..<(at + count))
    default:
      let at = Int(random.next() % UInt64(bytes.count))
      let digits = (0..<(random.next() % 40)).map { _ in UInt8(ascii: "9") }
      bytes.insert(contentsOf: digits, at: at)
    }
    return bytes
  }
}

/// A small generator with a seed (Steele, Lea and Flood, "Fast splittable pseudorandom number
/// generators", 2014).
struct SplitMix: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var value = state
    value = (value ^ value >> 30) &* 0xbf58_476d_1ce4_e5b9
    value = (value ^ value >> 27) &* 0x94d0_49bb_1331_11eb
    return value ^ value >> 31
  }
}
