import Glibc
import LifeguardConfiguration
import LifeguardCore
import LifeguardHost

/// Records what the default rules read, with the real collectors, as a fixture of
/// DefaultRulesTests.
///
///     rule-recorder MINUTES FILE [a title that says what went on]
///
/// Lines that others append to `FILE.marks` while it records (`MILLISECONDS TEXT`) become `# mark`
/// lines. `RULE_RECORDER_ALL=1` records every series.
@main
struct RuleRecorder {
  static func main() throws {
    let arguments = CommandLine.arguments
    guard arguments.count >= 3, let minutes = Double(arguments[1]), minutes > 0 else {
      errno = EINVAL
      perror("usage: rule-recorder MINUTES FILE [TITLE]")
      exit(2)
    }
    let (path, title) = (arguments[2], arguments.dropFirst(3).joined(separator: " "))
    let names = namesInPack()
    let recordsAll = getenv("RULE_RECORDER_ALL") != nil
    let log = SeriesLog { recordsAll || names.contains($0) }
    try record(log, minutes: minutes)
    let host = HostInfo()
    let (start, columns, lines) = log.lines()
    let heading = [
      "# \(title.isEmpty ? "recorded" : title)",
      "# recorded on Linux \(host.kernelRelease) with \(host.processorCount) CPUs",
      "# start \(start.milliseconds) columns \(columns) every 15s",
    ]
    let text = (heading + marks(path + ".marks", since: start) + lines).joined(separator: "\n")
    guard let file = fopen(path, "we") else {
      perror(path)
      exit(1)
    }
    fputs(text + "\n", file)
    fclose(file)
  }

  private static func record(_ log: SeriesLog, minutes: Double) throws {
    let watch = ProcessWatch()
    let host = HostInfo()
    let clock = SystemClock()
    let settings = CollectorSchedule.Settings(
      registrations: CollectorRegistry.defaults(processes: watch),
      context: { CollectorContext(host: host, processes: watch) })
    let schedule = try CollectorSchedule(
      settings, clock: { clock.now() },
      onTick: { batches in for batch in batches { log.take(batch) } })
    try schedule.start()
    let first = clock.now().advanced(by: SeriesLog.interval)
    for column in 0...Int(minutes * 4) {
      let due = first.advanced(by: SeriesLog.interval * column)
      while clock.now().boottime < due.boottime { usleep(20_000) }
      log.takeColumn(at: clock.now().wall)
    }
    schedule.stop()
  }

  /// Every word of the pack: the names of metrics are among them.
  private static func namesInPack() -> Set<String> {
    let words = DefaultPack.text.split {
      !($0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_"))
    }
    return Set(words.map(String.init))
  }

  private static func marks(_ path: String, since start: Timestamp) -> [String] {
    guard let file = fopen(path, "re") else { return [] }
    defer { fclose(file) }
    var marks: [String] = []
    var line = [CChar](repeating: 0, count: 512)
    while fgets(&line, 512, file) != nil {
      let bytes = line.prefix { $0 != 0 && $0 != 10 }.map { UInt8(bitPattern: $0) }
      let words = String(decoding: bytes, as: UTF8.self).split(separator: " ", maxSplits: 1)
      guard words.count == 2, let milliseconds = Int64(words[0]) else { continue }
      let seconds = (milliseconds - start.milliseconds) / 1000
      marks.append("# mark \(seconds)s \(words[1])")
    }
    return marks
  }
}
