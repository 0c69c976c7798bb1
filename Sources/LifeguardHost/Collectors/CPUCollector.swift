import LifeguardCore

/// CPU time by core and mode, and the counts beside it, from `/proc/stat` (proc_stat(5)).
///
/// One read serves node_exporter's collectors `cpu` and `stat` and the figure `CPUUtilization`.
struct CPUCollector: Collector {
  /// The columns of a `cpuN` line, in order; `guest` and `guest_nice` follow.
  private static let modes = [
    "user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal",
  ]
  private static let idle = 3
  private static let iowait = 4
  /// A core's idle time never falls by more than this in ticks, unless it was taken out and put
  /// back (node_exporter, cpu_linux.go, `jumpBackSeconds`: 3 s).
  private static let jumpBackSeconds = 3.0

  private struct Core {
    var slots: [Slot]
    /// Ticks as last written; 10 columns, those of the kernel's line.
    var ticks: [UInt64]
  }

  private let file: ProcFile
  private let ticksPerSecond: Double
  private var cores = SlotTable<Int>()
  private var store: [Core] = []
  private var counts = SlotTable<Slot?>()
  private var total: (busy: UInt64, all: UInt64)?
  private var utilization = Figure(
    .gauge("CPUUtilization", "CPU time in use in percent: all but idle and waiting for I/O."))
  private var lastUtilization: Double?

  private let seconds = MetricFamily.counter(
    "node_cpu_seconds_total", "Seconds the CPUs spent in each mode.")
  private let guest = MetricFamily.counter(
    "node_cpu_guest_seconds_total", "Seconds the CPUs spent in guests (VMs) for each mode.")

  init(_ context: CollectorContext) {
    file = context.file("proc/stat")
    ticksPerSecond = Double(context.host.ticksPerSecond)
  }

  mutating func collect(into scrape: inout Scrape) throws(CollectorError) {
    var content = try file.read()
    cores.beginPass()
    counts.beginPass()
    var hasTotal = false
    while var line = content.line() {
      let key = line.word()
      if key.hasPrefix("cpu") {
        if key.count == 3 {
          hasTotal = readTotal(&line, into: &scrape)
        } else {
          try readCore(Bytes(rebasing: key[3...]), &line, into: &scrape)
        }
      } else if let slot = counts.entry(of: key) ?? count(named: key, in: &scrape) {
        guard let value = line.unsigned() else { throw malformed("\(text(key)) has no number") }
        scrape[slot] = Double(value)
      }
    }
    guard hasTotal else { throw malformed("no line \"cpu\" with 8 numbers") }
    cores.removeUnseen { index in
      for slot in store[index].slots { scrape.release(slot) }
      store[index].slots = []
    }
  }

  private func malformed(_ reason: String) -> CollectorError {
    .malformed(path: file.path, reason: reason)
  }

  private mutating func readTotal(_ line: inout ByteCursor, into scrape: inout Scrape) -> Bool {
    var all: UInt64 = 0
    var unused: UInt64 = 0
    for column in 0..<Self.modes.count {
      guard let ticks = line.unsigned() else { return false }
      all &+= ticks
      if column == Self.idle || column == Self.iowait { unused &+= ticks }
    }
    let busy = all &- min(unused, all)
    defer { total = (busy, all) }
    guard let before = total else { return true }
    // Two reads within one clock tick, or iowait falling (it may): the figure stays as it was.
    if all > before.all {
      let rise = busy > before.busy ? Double(busy - before.busy) : 0
      lastUtilization = min(100, 100 * rise / Double(all - before.all))
    }
    if let lastUtilization { utilization.write(lastUtilization, to: &scrape) }
    return true
  }

  private mutating func readCore(
    _ number: Bytes, _ line: inout ByteCursor, into scrape: inout Scrape
  ) throws(CollectorError) {
    let index: Int
    if let known = cores.entry(of: number) {
      index = known
    } else {
      index = store.count
      store.append(core(named: text(number), in: &scrape))
      cores.insert(index, for: number)
    }
    let isReset: Bool
    var probe = line
    probe.skipWords(Self.idle)
    guard let idle = probe.unsigned() else { throw malformed("a line \"cpu\" has too few numbers") }
    let before = store[index].ticks[Self.idle]
    isReset = idle < before && Double(before - idle) / ticksPerSecond >= Self.jumpBackSeconds
    for column in 0..<10 {
      // Kernels before 2.6.33 have no guest_nice; a missing column is zero.
      let ticks = line.unsigned() ?? 0
      // Counters of the kernel may step back by a tick; a counter that falls looks like a reset.
      if isReset || ticks > store[index].ticks[column] { store[index].ticks[column] = ticks }
      scrape[store[index].slots[column]] = Double(store[index].ticks[column]) / ticksPerSecond
    }
  }

  private func core(named name: String, in scrape: inout Scrape) -> Core {
    var slots = Self.modes.map { mode in
      scrape.register(seconds, ["cpu": name, "mode": mode])
    }
    slots.append(scrape.register(guest, ["cpu": name, "mode": "user"]))
    slots.append(scrape.register(guest, ["cpu": name, "mode": "nice"]))
    return Core(slots: slots, ticks: [UInt64](repeating: 0, count: 10))
  }

  private mutating func count(named key: Bytes, in scrape: inout Scrape) -> Slot? {
    let family: MetricFamily?
    switch text(key) {
    case "intr": family = .counter("node_intr_total", "Total number of interrupts serviced.")
    case "ctxt":
      family = .counter("node_context_switches_total", "Total number of context switches.")
    case "processes": family = .counter("node_forks_total", "Total number of forks.")
    case "btime": family = .gauge("node_boot_time_seconds", "Node boot time, in unixtime.")
    case "procs_running":
      family = .gauge("node_procs_running", "Number of processes in runnable state.")
    case "procs_blocked":
      family = .gauge(
        "node_procs_blocked", "Number of processes blocked waiting for I/O to complete.")
    default: family = nil
    }
    let slot = family.map { scrape.register($0) }
    counts.insert(slot, for: key)
    return slot
  }
}
