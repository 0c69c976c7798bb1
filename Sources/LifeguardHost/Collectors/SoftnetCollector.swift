import LifeguardCore

/// Packets that the CPUs took from the network queues, from `/proc/net/softnet_stat`.
///
/// One line for each CPU in hexadecimal (net/core/net-procfs.c, softnet_seq_show): processed,
/// dropped, squeezed; the 10th column is receive packet steering, the 11th the flow limit.
struct SoftnetCollector: Collector {
  private struct Column {
    var index: Int
    var family: MetricFamily
  }

  private let file: ProcFile
  private let columns = [
    Column(
      index: 0,
      family: .counter("node_softnet_processed_total", "Number of processed packets")),
    Column(
      index: 1, family: .counter("node_softnet_dropped_total", "Number of dropped packets")),
    Column(
      index: 2,
      family: .counter(
        "node_softnet_times_squeezed_total",
        "Number of times processing packets ran out of quota")),
    Column(
      index: 9,
      family: .counter(
        "node_softnet_received_rps_total",
        "Number of times cpu woken up received_rps")),
    Column(
      index: 10,
      family: .counter(
        "node_softnet_flow_limit_count_total",
        "Number of times flow limit has been reached")),
  ]
  private var processors: [[Slot]] = []

  init(_ context: CollectorContext) {
    file = context.file("proc/net/softnet_stat")
  }

  mutating func collect(into scrape: inout Scrape) throws(CollectorError) {
    var content = try file.read()
    var number = 0
    while var line = content.line() {
      if number == processors.count {
        let labels: Labels = ["cpu": "\(number)"]
        processors.append(columns.map { scrape.register($0.family, labels) })
      }
      var next = 0
      for column in columns.indices {
        line.skipWords(columns[column].index - next)
        next = columns[column].index + 1
        guard let value = line.hexadecimal() else {
          // The last columns came with Linux 3.11; without the first three it is another file.
          if column >= 3 { break }
          throw .malformed(path: file.path, reason: "a line with fewer than three columns")
        }
        scrape[processors[number][column]] = Double(value)
      }
      number += 1
    }
    guard number > 0 else { throw .malformed(path: file.path, reason: "the file is empty") }
  }
}
