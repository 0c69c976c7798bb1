import CLinux
import LifeguardCore

/// Counts the processes by state, and keeps the lists of the busiest for evidence.
struct ProcessCollector: Collector {
  private let watch: ProcessWatch
  private let processesMaxFile: ProcFile
  private let threadsMaxFile: ProcFile
  private var table: ProcessTable
  private var states: [Character: Figure] = [:]
  private let state = MetricFamily.gauge(
    "node_processes_state", "Number of processes in each state.")
  private var processes = Figure(.gauge("node_processes_pids", "Number of PIDs"))
  private var processesMax = Figure(
    .gauge("node_processes_max_processes", "Number of max PIDs limit"))
  private var threads = Figure(
    .gauge("node_processes_threads", "Allocated threads in system"))
  private var threadsMax = Figure(
    .gauge("node_processes_max_threads", "Limit of threads in the system"))

  init(_ context: CollectorContext) {
    watch = context.processes
    table = ProcessTable(context)
    processesMaxFile = context.file("proc/sys/kernel/pid_max")
    threadsMaxFile = context.file("proc/sys/kernel/threads-max")
  }

  mutating func collect(into scrape: inout Scrape) throws(CollectorError) {
    let wall = Timestamp(
      milliseconds: clinux_clock_nanoseconds(CLINUX_CLOCK_REALTIME) / 1_000_000)
    let scan = try table.read(
      boottime: scrape.boottime, takenAt: wall, groups: watch.beginScan(), looks: watch.looks)
    watch.finishScan(scan)
    let snapshot = scan.snapshot
    for (letter, count) in snapshot.states where states[letter] == nil && count > 0 {
      states[letter] = Figure(state, ["state": String(letter)])
    }
    for letter in states.keys {
      states[letter]?.write(Double(snapshot.states[letter] ?? 0), to: &scrape)
    }
    processes.write(Double(snapshot.processes), to: &scrape)
    threads.write(Double(snapshot.threads), to: &scrape)
    processesMax.write(try processesMaxFile.number(), to: &scrape)
    threadsMax.write(try threadsMaxFile.number(), to: &scrape)
  }
}
