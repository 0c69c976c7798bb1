import CLinux
import LifeguardCore

/// Watched groups of processes, under process-exporter's names.
///
/// Only `stat` is read, through a descriptor kept for each process: 5 µs each instead of 12. When a
/// process has ended the descriptor says so (ESRCH), whoever has its pid now.
struct ProcessGroupCollector: Collector {
  /// Members beyond this number are not read; each costs a descriptor.
  private static let membersMax = 2048

  private struct Member {
    var group: Int
    var identity: GroupMember
    var file: ProcFile
    var hasEnded = false
    /// CPU time and faults when last read: columns 2, 3, 6 and 7.
    var counts = [0.0, 0, 0, 0]
  }

  private struct Group {
    var name: String
    var figures: [Figure]
    var totals = [Double](repeating: 0, count: Self.count)
    /// CPU time and faults of members that have ended, so that the counters do not fall.
    var past = [0.0, 0, 0, 0]

    static let count = 14
    /// The columns that are counters.
    static let counters = [2, 3, 6, 7]
  }

  private let context: CollectorContext
  private let bootSeconds: Double
  private var generation: UInt64?
  private var members: [Member] = []
  private var groups: [Group] = []

  init(_ context: CollectorContext) {
    self.context = context
    bootSeconds =
      Double(
        clinux_clock_nanoseconds(CLINUX_CLOCK_REALTIME)
          - clinux_clock_nanoseconds(CLINUX_CLOCK_BOOTTIME)) / 1e9
  }

  mutating func collect(into scrape: inout Scrape) throws(CollectorError) {
    if let change = context.processes.changes(since: generation) {
      generation = change.generation
      take(change.groups, change.members, in: &scrape)
    }
    for index in groups.indices {
      for column in 0..<Group.count { groups[index].totals[column] = 0 }
    }
    for index in members.indices where !members[index].hasEnded { add(index) }
    for index in groups.indices { write(index, to: &scrape) }
  }

  private mutating func take(
    _ names: [String], _ identities: [GroupMember], in scrape: inout Scrape
  ) {
    var kept: [Group] = []
    for name in names {
      if let index = groups.firstIndex(where: { $0.name == name }) {
        kept.append(groups.remove(at: index))
      } else {
        kept.append(Group(name: name, figures: Self.figures(name)))
      }
    }
    for index in groups.indices {
      for number in groups[index].figures.indices {
        groups[index].figures[number].release(in: &scrape)
      }
    }
    groups = kept
    var old: [GroupMember: Member] = [:]
    for member in members { old[member.identity] = member }
    members = identities.prefix(Self.membersMax).compactMap { identity in
      guard let group = names.firstIndex(of: identity.group) else { return nil }
      var member =
        old[identity]
        ?? Member(
          group: group, identity: identity, file: context.file("proc/\(identity.pid)/stat"))
      member.group = group
      old[identity] = nil
      return member
    }
    // Members that have gone before this collector saw them end.
    for member in old.values where !member.hasEnded && member.group < groups.count {
      guard let index = names.firstIndex(of: member.identity.group) else { continue }
      for place in 0..<4 { groups[index].past[place] += member.counts[place] }
    }
  }

  private mutating func add(_ index: Int) {
    let group = members[index].group
    // try?: a process that cannot be read any more has ended.
    guard var content = try? members[index].file.read(),
      let now = ProcessStatistics(&content),
      now.startTicks == members[index].identity.startTicks
    else {
      members[index].hasEnded = true
      for place in 0..<4 { groups[group].past[place] += members[index].counts[place] }
      return
    }
    let ticks = Double(context.host.ticksPerSecond)
    let started = bootSeconds + Double(now.startTicks) / ticks
    let values = [
      1, Double(now.threads), Double(now.userTicks) / ticks, Double(now.systemTicks) / ticks,
      Double(now.residentPages) * Double(context.host.pageBytes), Double(now.virtualBytes),
      Double(now.majorFaults), Double(now.minorFaults),
    ]
    for (column, value) in values.enumerated() { groups[group].totals[column] += value }
    for place in 0..<4 { members[index].counts[place] = values[Group.counters[place]] }
    let oldest = groups[group].totals[8]
    groups[group].totals[8] = oldest == 0 ? started : min(oldest, started)
    groups[group].totals[9 + Self.stateColumn(now.state)] += 1
  }

  /// Running, Sleeping, Waiting, Zombie, Other, as process-exporter sorts the kernel's letters.
  private static func stateColumn(_ letter: UInt8) -> Int {
    switch letter {
    case UInt8(ascii: "R"): 0
    case UInt8(ascii: "S"), UInt8(ascii: "I"): 1
    case UInt8(ascii: "D"): 2
    case UInt8(ascii: "Z"): 3
    default: 4
    }
  }

  private mutating func write(_ index: Int, to scrape: inout Scrape) {
    for column in 0..<Group.count {
      // A group without a process has no age.
      if column == 8 && groups[index].totals[0] == 0 { continue }
      var value = groups[index].totals[column]
      if let place = Group.counters.firstIndex(of: column) { value += groups[index].past[place] }
      groups[index].figures[column].write(value, to: &scrape)
    }
  }

  private static func figures(_ name: String) -> [Figure] {
    let prefix = "namedprocess_namegroup_"
    let group: Labels = ["groupname": name]
    func with(_ label: String, _ value: String) -> Labels { ["groupname": name, label: value] }
    let processor = MetricFamily.counter(
      prefix + "cpu_seconds_total", "Cpu user usage in seconds")
    let memory = MetricFamily.gauge(
      prefix + "memory_bytes", "number of bytes of memory in use")
    let states = MetricFamily.gauge(
      prefix + "states",
      "Number of processes in states Running, Sleeping, Waiting, Zombie, or Other")
    return [
      Figure(.gauge(prefix + "num_procs", "number of processes in this group"), group),
      Figure(.gauge(prefix + "num_threads", "Number of threads"), group),
      Figure(processor, with("mode", "user")), Figure(processor, with("mode", "system")),
      Figure(memory, with("memtype", "resident")), Figure(memory, with("memtype", "virtual")),
      Figure(.counter(prefix + "major_page_faults_total", "Major page faults"), group),
      Figure(.counter(prefix + "minor_page_faults_total", "Minor page faults"), group),
      Figure(
        .gauge(
          prefix + "oldest_start_time_seconds",
          "start time in seconds since 1970/01/01 of oldest process in group"), group),
    ]
      + ["Running", "Sleeping", "Waiting", "Zombie", "Other"].map {
        Figure(states, with("state", $0))
      }
  }
}
