import LifeguardCore

/// One file of a control group and the figures in it.
struct CgroupFile {
  /// A number in the file and what becomes of it.
  struct Field: Sendable {
    enum Role: Sendable { case figure, usage, inactive }
    /// Its name in a file of names and numbers; empty for a file with one number alone.
    var key: String
    var metric: String
    var help: String
    var type: MetricType
    /// From the kernel's unit to the metric's.
    var factor: Double
    var role: Role
  }

  struct Description: Sendable {
    var name: String
    var fields: [Field]
  }

  private let file: ProcFile
  private let fields: [Field]
  private var figures: [Figure]

  /// A limit of version 1 that means "none": the largest multiple of the page size.
  private static let unlimited = Double(1 << 62)

  init(_ description: Description, _ file: ProcFile, id: String) {
    self.file = file
    fields = description.fields
    figures = fields.map {
      Figure(MetricFamily(name: $0.metric, help: $0.help, type: $0.type), ["id": id])
    }
  }

  mutating func release(in scrape: inout Scrape) {
    for index in figures.indices { figures[index].release(in: &scrape) }
  }

  /// Writes what the file says now. A group without the controller has no such file, and one that
  /// has been removed says ENODEV; both have no figures then.
  mutating func collect(into scrape: inout Scrape) -> (usage: Double?, inactive: Double?) {
    // try?: see above.
    guard var content = try? file.read() else { return (nil, nil) }
    var result: (usage: Double?, inactive: Double?) = (nil, nil)
    if fields.first?.key.isEmpty == true {
      let value: Double
      if let number = content.unsigned() {
        value = Double(number)
      } else if content.word().equals("max") {
        value = 0
      } else {
        return result
      }
      take(value >= Self.unlimited ? 0 : value, at: 0, &result, &scrape)
      return result
    }
    while var line = content.line() {
      let key = line.word()
      for index in fields.indices where key.count == fields[index].key.utf8.count {
        guard key.elementsEqual(fields[index].key.utf8), let value = line.unsigned() else {
          continue
        }
        take(Double(value), at: index, &result, &scrape)
        break
      }
    }
    return result
  }

  private mutating func take(
    _ value: Double, at index: Int, _ result: inout (usage: Double?, inactive: Double?),
    _ scrape: inout Scrape
  ) {
    switch fields[index].role {
    case .inactive: result.inactive = value
    case .usage:
      result.usage = value
      figures[index].write(value, to: &scrape)
    case .figure: figures[index].write(value * fields[index].factor, to: &scrape)
    }
  }
}

extension CgroupFile {
  /// What to read below a mount of control groups; empty for any other mount.
  static func descriptions(of mount: Mount) -> [Description] {
    switch mount.type {
    case "cgroup2": version2
    case "cgroup": mount.options.flatMap { version1[$0] ?? [] }
    default: []
    }
  }

  private static func gauge(
    _ key: String, _ metric: String, _ help: String, _ role: Field.Role = .figure
  ) -> Field {
    Field(key: key, metric: metric, help: help, type: .gauge, factor: 1, role: role)
  }

  private static func counter(
    _ key: String, _ metric: String, _ help: String, _ factor: Double = 1
  ) -> Field {
    Field(key: key, metric: metric, help: help, type: .counter, factor: factor, role: .figure)
  }

  private static let usageHelp =
    "Current memory usage in bytes, including all memory regardless of when it was accessed"
  private static let limitHelp = "Memory limit for the container."
  private static let threadsMaxHelp =
    "Maximum number of threads allowed inside the container, infinity if value is zero"

  private static func memory(
    usage: String, limit: String, events: String, inactive: String, resident: String
  ) -> [Description] {
    [
      Description(
        name: usage, fields: [gauge("", "container_memory_usage_bytes", usageHelp, .usage)]),
      Description(
        name: "memory.stat",
        fields: [
          gauge(inactive, "container_memory_inactive_file", "", .inactive),
          gauge(resident, "container_memory_rss", "Size of RSS in bytes."),
        ]),
      Description(
        name: limit, fields: [gauge("", "container_spec_memory_limit_bytes", limitHelp)]),
      Description(
        name: events,
        fields: [
          counter(
            "oom_kill", "container_oom_events_total",
            "Count of out of memory events observed for the container")
        ]),
    ]
  }

  private static let tasks = [
    Description(
      name: "pids.current",
      fields: [
        gauge("", "container_threads", "Number of threads running inside the container")
      ]),
    Description(
      name: "pids.max", fields: [gauge("", "container_threads_max", threadsMaxHelp)]),
  ]

  private static func throttling(_ time: String, _ factor: Double) -> [Field] {
    [
      counter(
        "nr_periods", "container_cpu_cfs_periods_total",
        "Number of elapsed enforcement period intervals."),
      counter(
        "nr_throttled", "container_cpu_cfs_throttled_periods_total",
        "Number of throttled period intervals."),
      counter(
        time, "container_cpu_cfs_throttled_seconds_total",
        "Total time duration the container has been throttled.", factor),
    ]
  }

  private static let usageName = "container_cpu_usage_seconds_total"
  private static let usageSecondsHelp = "Cumulative cpu time consumed in seconds."

  private static let version2 =
    memory(
      usage: "memory.current", limit: "memory.max", events: "memory.events",
      inactive: "inactive_file", resident: "anon")
    + [
      Description(
        name: "cpu.stat",
        fields: [counter("usage_usec", usageName, usageSecondsHelp, 1e-6)]
          + throttling("throttled_usec", 1e-6))
    ] + tasks

  /// By controller; times are nanoseconds.
  private static let version1: [String: [Description]] = [
    "memory": memory(
      usage: "memory.usage_in_bytes", limit: "memory.limit_in_bytes",
      events: "memory.oom_control", inactive: "total_inactive_file", resident: "total_rss"),
    "cpu": [Description(name: "cpu.stat", fields: throttling("throttled_time", 1e-9))],
    "cpuacct": [
      Description(
        name: "cpuacct.usage", fields: [counter("", usageName, usageSecondsHelp, 1e-9)])
    ],
    "pids": tasks,
  ]
}
