import LifeguardCore

/// The connection tracking table: its fill, its size, and what happened to entries.
///
/// From `/proc/sys/net/netfilter` and `/proc/net/stat/nf_conntrack` (one line for each CPU, in
/// hexadecimal; the heading names the columns, which differ between kernels).
struct ConntrackCollector: Collector {
  private let count: ProcFile
  private let limit: ProcFile
  private let statistics: ProcFile
  private var entries = Figure(
    .gauge(
      "node_nf_conntrack_entries",
      "Number of currently allocated flow entries for connection tracking."))
  private var entriesLimit = Figure(
    .gauge("node_nf_conntrack_entries_limit", "Maximum size of connection tracking table."))
  private var columns: [(name: String, figure: Figure)]
  private var heading: [UInt8] = []
  /// For each column of the file the index in `columns`, or nil.
  private var plan: [Int?] = []

  init(_ context: CollectorContext) {
    count = context.file("proc/sys/net/netfilter/nf_conntrack_count")
    limit = context.file("proc/sys/net/netfilter/nf_conntrack_max")
    statistics = context.file("proc/net/stat/nf_conntrack")
    let help = [
      ("found", "Number of searched entries which were successful."),
      ("invalid", "Number of packets seen which can not be tracked."),
      ("ignore", "Number of packets seen which are already connected to a conntrack entry."),
      ("insert", "Number of entries inserted into the list."),
      ("insert_failed", "Number of entries for which list insertion was attempted but failed."),
      ("drop", "Number of packets dropped due to conntrack failure."),
      (
        "early_drop",
        "Number of dropped conntrack entries to make room for new ones, if maximum table size "
          + "was reached."
      ),
      (
        "search_restart",
        "Number of conntrack table lookups which had to be restarted due to hashtable resizes."
      ),
    ]
    columns = help.map { ($0.0, Figure(.gauge("node_nf_conntrack_stat_" + $0.0, $0.1))) }
  }

  mutating func collect(into scrape: inout Scrape) throws(CollectorError) {
    entries.write(try count.number(), to: &scrape)
    entriesLimit.write(try limit.number(), to: &scrape)
    var content = try statistics.read()
    guard let head = content.line() else {
      throw .malformed(path: statistics.path, reason: "no heading")
    }
    if !head.rest.equals(heading) {
      heading = Array(head.rest)
      plan = text(head.rest).split(separator: " ").map { name in
        columns.firstIndex { $0.name == name }
      }
    }
    var sums = [UInt64](repeating: 0, count: columns.count)
    while var line = content.line() {
      for column in plan {
        guard let value = line.hexadecimal() else {
          throw .malformed(path: statistics.path, reason: "a line with too few columns")
        }
        if let column { sums[column] &+= value }
      }
    }
    for index in columns.indices { columns[index].figure.write(Double(sums[index]), to: &scrape) }
  }
}
