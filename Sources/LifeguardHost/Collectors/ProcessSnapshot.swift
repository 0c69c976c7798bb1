import LifeguardCore

/// One process in a list of the busiest.
public struct ProcessEntry: Hashable, Sendable {
  public var pid: Int32
  public var parent: Int32
  /// The kernel's name for it, at most 15 bytes. Chosen by the process itself: for reading only.
  public var name: String
  /// `R` running, `S` sleeping, `D` waiting for a device, `Z` zombie, `T` stopped
  /// (proc_pid_stat(5)).
  public var state: Character
  /// CPU time since the list before, in percent of one CPU.
  public var processorPercent: Double
  public var residentBytes: UInt64
  public var threads: Int
  /// Clock ticks after boot at which it started; with the pid it names a process for good.
  public var startTicks: UInt64
  /// Bytes a second read from and written to storage; known for the busiest only.
  public var readBytesPerSecond: Double?
  public var writeBytesPerSecond: Double?
  /// Open file descriptors; known for the busiest only.
  public var descriptors: Int?
}

/// The processes of the host at one time: how many, and the busiest in four respects.
public struct ProcessSnapshot: Hashable, Sendable {
  public var takenAt: Timestamp
  public var boottime: Duration
  public var processes: Int
  public var threads: Int
  /// How many are in each state.
  public var states: [Character: Int]
  /// The busiest first; at most 20 each.
  public var byProcessor: [ProcessEntry]
  public var byMemory: [ProcessEntry]
  public var byStorage: [ProcessEntry]
  public var byDescriptors: [ProcessEntry]

  /// The lists as a table for evidence and for a terminal of 80 columns.
  public func report(rows: Int = 10) -> String {
    let counts = states.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }
    var lines = ["\(processes) processes, \(threads) threads (\(counts.joined(separator: ", ")))"]
    func add(_ title: String, _ list: [ProcessEntry]) {
      guard !list.isEmpty else { return }
      lines.append("")
      lines.append(title)
      lines.append("    PID   PPID S   CPU%      RSS  THR    FDS   READ/s  WRITE/s NAME")
      lines += list.prefix(rows).map(Self.row)
    }
    add("by CPU", byProcessor)
    add("by memory", byMemory)
    add("by storage", byStorage)
    add("by descriptors", byDescriptors)
    return lines.joined(separator: "\n") + "\n"
  }

  /// The busiest by CPU in one line.
  public func busiest(_ count: Int) -> String {
    byProcessor.prefix(count).map {
      "\(Self.printable($0.name)) (\($0.pid)) \(Self.tenth($0.processorPercent)) %"
    }.joined(separator: ", ")
  }

  private static func row(_ entry: ProcessEntry) -> String {
    let columns = [
      right("\(entry.pid)", 7), right("\(entry.parent)", 6), String(entry.state),
      right(tenth(entry.processorPercent), 6), right(size(Double(entry.residentBytes)), 8),
      right("\(entry.threads)", 4), right(entry.descriptors.map { "\($0)" } ?? "-", 6),
      right(entry.readBytesPerSecond.map(size) ?? "-", 8),
      right(entry.writeBytesPerSecond.map(size) ?? "-", 8),
      // A kernel worker's name says at length what it does; 80 columns have room for this much.
      String(printable(entry.name).prefix(17)),
    ]
    return columns.joined(separator: " ")
  }

  private static func right(_ text: String, _ width: Int) -> String {
    String(repeating: " ", count: max(0, width - text.count)) + text
  }

  private static func tenth(_ value: Double) -> String {
    let tenths = Int((value * 10).rounded())
    return "\(tenths / 10).\(tenths % 10)"
  }

  private static func size(_ bytes: Double) -> String {
    var value = bytes
    for unit in ["B", "KiB", "MiB", "GiB"] {
      // Four digits before the point would not fit the column.
      if value < 999.95 { return unit == "B" ? "\(Int(value))B" : tenth(value) + unit }
      value /= 1024
    }
    return tenth(value) + "TiB"
  }

  /// A process names itself; control characters must not reach a terminal.
  private static func printable(_ name: String) -> String {
    String(
      String.UnicodeScalarView(
        name.unicodeScalars.map { $0.value < 0x20 || (0x7f...0x9f).contains($0.value) ? "?" : $0 }))
  }
}
