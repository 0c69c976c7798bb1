import Glibc
import LifeguardCore
import LifeguardHost
import Synchronization
import TestSupport
import Testing

/// The thread that runs the collectors, and collectors that hang.
@Suite struct CollectorScheduleTests {
  private static let family = MetricFamily(name: "x", help: "", type: .gauge)

  /// Counts its collections.
  private struct Counting: Collector {
    var slot: Slot?
    var count = 0.0

    mutating func collect(into scrape: inout Scrape) throws(CollectorError) {
      let slot = slot ?? scrape.register(CollectorScheduleTests.family)
      self.slot = slot
      count += 1
      scrape[slot] = count
    }
  }

  /// Blocks until a byte comes through a pipe.
  private struct Blocking: Collector {
    let descriptor: Int32
    var slot: Slot?

    mutating func collect(into scrape: inout Scrape) throws(CollectorError) {
      var byte: UInt8 = 0
      _ = read(descriptor, &byte, 1)
      let slot = slot ?? scrape.register(CollectorScheduleTests.family)
      self.slot = slot
      scrape[slot] = 1
    }
  }

  private final class Record: Sendable {
    private let batches = Mutex<[CollectedBatch]>([])
    func add(_ more: [CollectedBatch]) { batches.withLock { $0 += more } }
    func of(_ collector: String) -> [CollectedBatch] {
      batches.withLock { $0.filter { $0.collector == collector } }
    }
  }

  private func schedule(
    _ registrations: [CollectorRegistration], tick: Duration, retryMax: Duration = .seconds(300),
    _ onTick: @escaping @Sendable ([CollectedBatch]) -> Void
  ) throws -> CollectorSchedule {
    let clock = SystemClock()
    let host = HostInfo()
    return try CollectorSchedule(
      .init(registrations: registrations, tick: tick, retryMax: retryMax) {
        CollectorContext(host: host)
      }, clock: { clock.now() }, onTick: onTick)
  }

  @Test func `a slow interval is kept beside a fast one`() async throws {
    let record = Record()
    let schedule = try schedule(
      [
        .init("fast", every: .milliseconds(20)) { _ in Counting() },
        .init("slow", every: .milliseconds(200)) { _ in Counting() },
      ], tick: .milliseconds(20)
    ) { record.add($0) }
    try schedule.start()
    #expect(await eventually { record.of("fast").count >= 60 })
    schedule.stop()
    let (fast, slow) = (record.of("fast").count, record.of("slow").count)
    #expect(slow >= 2 && slow <= fast / 5 + 2, "\(slow) slow beside \(fast) fast")
    let after = record.of("fast").count
    #expect(await holds(for: .milliseconds(100)) { record.of("fast").count == after })
  }

  @Test func `a thousand hangs leave one thread, delay nothing and leak no descriptor`()
    async throws
  {
    var ends: [Int32] = [0, 0]
    try #require(pipe(&ends) == 0)
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    let (readEnd, writeEnd) = (ends[0], ends[1])
    defer {
      close(readEnd)
      close(writeEnd)
    }
    let record = Record()
    let hangs = Mutex(0)
    let schedule = try schedule(
      [
        .init("healthy", every: .milliseconds(4)) { _ in Counting() },
        .init(
          "hang-once-more", every: .milliseconds(4), isolation: .thread(deadline: .milliseconds(2))
        ) { _ in Blocking(descriptor: readEnd) },
      ], tick: .milliseconds(4), retryMax: .milliseconds(1)
    ) { batches in
      record.add(batches.filter { $0.collector == "healthy" })
      for batch in batches where batch.isQuarantined {
        hangs.withLock { $0 += 1 }
        // The hang ends only after it was noticed.
        var byte: UInt8 = 1
        _ = write(writeEnd, &byte, 1)
      }
    }
    try schedule.start()
    #expect(await eventually(within: .seconds(60)) { hangs.withLock { $0 } >= 10 })
    let before = try descriptors()
    #expect(
      await eventually(within: .seconds(120), every: .milliseconds(50)) {
        hangs.withLock { $0 } >= 1000
      })
    #expect(try threads(named: "hang-once-more") <= 1)
    // Other tests open descriptors meanwhile; a leak would be a thousand.
    #expect(try descriptors() < before + 300)
    let count = record.of("healthy").count
    #expect(count >= 1000, "the healthy collector ran at each tick: \(count)")
    schedule.stop()
    var byte: UInt8 = 1
    _ = write(writeEnd, &byte, 1)
    #expect(await eventually { try threads(named: "hang-once-more") == 0 })
  }

  @Test func `a hang ends the series, is reported and is announced anew when it is over`()
    async throws
  {
    var ends: [Int32] = [0, 0]
    try #require(pipe(&ends) == 0)
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    let (readEnd, writeEnd) = (ends[0], ends[1])
    defer {
      close(readEnd)
      close(writeEnd)
    }
    func release() {
      var byte: UInt8 = 1
      _ = write(writeEnd, &byte, 1)
    }
    let record = Record()
    let schedule = try schedule(
      [
        .init("pipe", every: .milliseconds(10), isolation: .thread(deadline: .milliseconds(100))) {
          _ in Blocking(descriptor: readEnd)
        }
      ], tick: .milliseconds(10), retryMax: .milliseconds(20)
    ) { record.add($0) }
    release()
    try schedule.start()
    // Once well, then it hangs.
    #expect(await eventually { record.of("pipe").contains { $0.isQuarantined } })
    let hung = try #require(record.of("pipe").first { $0.isQuarantined })
    #expect(hung.failure == .timedOut(seconds: 0.1))
    #expect(hung.ended == [0])
    #expect(hung.values[0].isStaleMarker)
    #expect(
      await eventually {
        record.of("collectors").contains { batch in
          batch.started.contains { $0.family.name == "lifeguard_collector_quarantined" }
            && batch.values.contains(0)
        }
      })
    // The byte that ends the hang, and plenty for collections after it.
    for _ in 0..<50 { release() }
    #expect(
      await eventually {
        // It hangs again once the bytes are used up, so it is the first hang that counts.
        guard let first = record.of("pipe").firstIndex(where: { $0.isQuarantined }) else {
          return false
        }
        return record.of("pipe")[first...].contains { !$0.started.isEmpty }
      })
    schedule.stop()
    release()
  }

  private static let fuse = Requirement.all(
    .root, .program("unshare"),
    Requirement(isMet: access("/dev/fuse", R_OK) == 0, reason: "needs /dev/fuse"))

  /// A file system in user space whose server never answers, as a dead file server is.
  @Test(.enabled(if: fuse.isMet, "\(fuse.reason)"))
  func `a mount that never answers costs one thread and no other figure`() async throws {
    let folder = try TemporaryFolder()
    try folder.makeFolder("proc/1")
    let point = try folder.makeFolder("point")
    // Mounted in a mount namespace of its own, so that nothing else on this host meets it.
    let server = try ChildProgram([
      "unshare", "--mount", "sh", "-c",
      "exec 3<>/dev/fuse; mount -i -t fuse -o fd=3,rootmode=40000,user_id=0,group_id=0 "
        + "stuck '\(point)' && echo mounted && exec sleep 120",
    ])
    defer { server.kill() }
    try #require(
      await eventually { server.standardOutput.contains("mounted") }, "\(server.standardError)")
    try #require(symlink("/proc/\(server.pid)/root\(point)", folder / "stuck") == 0)
    try #require(symlink("/", folder / "well") == 0)
    try TextFile.write(
      "stuck /stuck fuse.stuck rw 0 0\n/dev/vda /well ext4 rw 0 0\n",
      to: folder / "proc/1/mounts")
    let registration = try #require(
      CollectorRegistry.all(processes: ProcessWatch()).first { $0.name == "filesystem" })
    let context = CollectorContext(root: FileSystemRoot(folder.path), host: HostInfo())
    var collector = registration.make(context)
    var scrape = Scrape()
    let stuck: Labels = ["device": "stuck", "fstype": "fuse.stuck", "mountpoint": "/stuck"]
    for round in 0..<20 {
      let begin = ContinuousClock.now
      try collector.collect(into: &scrape)
      let took = ContinuousClock.now - begin
      let (values, started, _) = scrape.finish()
      #expect(took < .seconds(round == 0 ? 8 : 2), "only the first round waits")
      guard round == 0 else { continue }
      let error = try #require(
        started.first { $0.labels == stuck && $0.family.name == "node_filesystem_device_error" })
      #expect(values[error.slot] == 1)
      #expect(
        started.contains {
          $0.labels["mountpoint"] == "/well" && $0.family.name == "node_filesystem_size_bytes"
        })
      #expect(!started.contains { $0.labels == stuck && $0.family.name.hasSuffix("size_bytes") })
    }
    #expect(try threads(named: "guarded call") >= 1, "it is stuck for real")
    // The server's end ends the hang, and its thread with it.
    server.kill()
    #expect(await eventually { try threads(named: "guarded call") == 0 })
  }

  private func descriptors() throws -> Int {
    FileSystemRoot().entries("proc/self/fd").count
  }

  private func threads(named name: String) throws -> Int {
    FileSystemRoot().entries("proc/self/task").filter {
      FileSystemRoot().line("proc/self/task/\($0)/comm") == name
    }.count
  }
}
