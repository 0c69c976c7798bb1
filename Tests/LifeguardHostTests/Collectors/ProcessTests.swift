import Glibc
import LifeguardCore
import LifeguardHost
import TestSupport
import Testing

/// Lists of processes and watched groups, with real processes.
@Suite struct ProcessTests {
  @Test func `a process that uses a CPU leads the list, with what it has read and opened`()
    async throws
  {
    let busy = try ChildProgram(["sh", "-c", "while :; do :; done"])
    defer { busy.kill() }
    let watch = ProcessWatch()
    let registration = try #require(
      CollectorRegistry.all(processes: watch).first { $0.name == "processes" })
    let context = CollectorContext(host: HostInfo(), processes: watch)
    var collector = registration.make(context)
    var scrape = Scrape()
    #expect(
      await eventually {
        scrape.boottime = SystemClock().now().boottime
        try collector.collect(into: &scrape)
        return watch.latest?.byProcessor.contains { $0.pid == busy.pid } ?? false
      })
    let entry = try #require(watch.latest?.byProcessor.first { $0.pid == busy.pid })
    #expect(entry.processorPercent > 0)
    #expect(entry.name == "sh")
    #expect(entry.parent == getpid())
    let report = try #require(watch.latest?.report())
    #expect(report.contains("by CPU") && report.contains("\(busy.pid)"))
    #expect(report.split(separator: "\n").allSatisfy { $0.count <= 80 })
  }

  @Test func `the ring keeps a minute and no more than sixty lists`() async throws {
    let watch = ProcessWatch()
    let registration = try #require(
      CollectorRegistry.all(processes: watch).first { $0.name == "processes" })
    let context = CollectorContext(host: HostInfo(), processes: watch)
    var collector = registration.make(context)
    var scrape = Scrape()
    for _ in 0..<70 {
      try collector.collect(into: &scrape)
      _ = scrape.finish()
    }
    #expect(watch.recent.count == 60)
  }

  @Test func `a group counts its members and keeps its counters when one of them ends`()
    async throws
  {
    let watch = ProcessWatch()
    let first = try ChildProgram([
      "sh", "-c", "i=0; while [ $i -lt 60000 ]; do i=$((i+1)); done; sleep 60",
    ])
    let second = try ChildProgram(["sleep", "60"])
    defer {
      first.kill()
      second.kill()
    }
    watch.groups = [ProcessGroup(name: "pair", pids: [first.pid, second.pid])]
    let all = CollectorRegistry.all(processes: watch)
    let context = CollectorContext(host: HostInfo(), processes: watch)
    var list = try #require(all.first { $0.name == "processes" }).make(context)
    var group = try #require(all.first { $0.name == "namedprocess" }).make(context)
    var (listScrape, scrape) = (Scrape(), Scrape())
    var known: [Int: StartedSeries] = [:]
    func read() throws -> [String: Double] {
      try list.collect(into: &listScrape)
      _ = listScrape.finish()
      try group.collect(into: &scrape)
      let (values, started, ended) = scrape.finish()
      for series in started { known[series.slot] = series }
      for slot in ended { known[slot] = nil }
      var result: [String: Double] = [:]
      for (slot, series) in known {
        let extra = series.labels.filter { $0.name != "groupname" }.map(\.value).joined()
        result[series.family.name + extra] = values[slot]
      }
      return result
    }
    let processors = "namedprocess_namegroup_cpu_seconds_totaluser"
    #expect(await eventually { (try read()[processors] ?? 0) >= 0.03 })
    let before = try read()
    #expect(before["namedprocess_namegroup_num_procs"] == 2)
    #expect((before["namedprocess_namegroup_memory_bytesresident"] ?? 0) > 100_000)
    first.kill()
    #expect(await eventually { try read()["namedprocess_namegroup_num_procs"] == 1 })
    let after = try read()
    #expect((after[processors] ?? 0) >= (before[processors] ?? 1))
  }

  @Test func `a group is recognised by executable and user, never by what a process calls itself`()
    async throws
  {
    let sleeper = try ChildProgram(["sleep", "60"])
    defer { sleeper.kill() }
    let path = try #require(SourceTree.realPath("/proc/\(sleeper.pid)/exe"))
    let watch = ProcessWatch()
    watch.groups = [
      ProcessGroup(name: "right", executable: path, user: geteuid()),
      ProcessGroup(name: "wrong user", executable: path, user: 4_000_000),
      ProcessGroup(name: "wrong file", executable: "/nonexistent/sleep"),
    ]
    #expect(
      Collecting(
        CollectorRegistry.all(processes: watch).filter { $0.name == "processes" },
        processes: watch
      ).failures == [:])
    let groups = Set(watch.members.filter { $0.pid == sleeper.pid }.map(\.group))
    #expect(groups == ["right"])
  }
}
