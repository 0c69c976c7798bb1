import ArgumentParser
import Glibc
import LifeguardAgent
import LifeguardConfiguration
import LifeguardCore
import LifeguardHost
import LifeguardServer
import LifeguardStore

/// `lifeguard backtest`.
struct BacktestCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "backtest",
    abstract: "Replays recorded samples: what the rules and their recovery would have done.",
    discussion: """
      Takes the rules, plans, guard rails and routes of a configuration over the samples of a data \
      directory or of CSV and OpenMetrics files, and prints every alert, notification, action and \
      refusal. Nothing is carried out and nobody is told. Services have no part in it: samples do \
      not tell how a process looked.

      Example: lifeguard backtest --config lifeguard.yaml --data /var/lib/lifeguard
               lifeguard backtest --config new.yaml --csv cpu.csv --series CPUUtilization
      """)

  @Option(
    help: ArgumentHelp(
      "The configuration; what `lifeguard run` would read without it.", valueName: "path"))
  var config: String?

  @Option(help: ArgumentHelp("The data directory of an agent.", valueName: "directory"))
  var data: String?

  @Option(
    parsing: .upToNextOption,
    help: ArgumentHelp("Files of samples: .csv, else OpenMetrics.", valueName: "file"))
  var csv: [String] = []

  @Option(help: ArgumentHelp("The series of files without one.", valueName: "series"))
  var series: String?

  @OptionGroup var interval: DatabaseInterval
  @OptionGroup var output: OutputOptions

  func validate() throws {
    guard data == nil || csv.isEmpty else {
      throw ValidationError("choose one of --data and --csv")
    }
    if let series, Labels(seriesText: series) == nil {
      throw ValidationError("\"\(series)\" is no series: write name{label=\"value\"}")
    }
  }

  func run() throws {
    let loader = Loading.loader
    let main = Loading.mainFile(config, loader)
    let loaded = loader.load(mainFile: main)
    Loading.report(loaded.problems)
    guard let configuration = loaded.configuration else { throw ExitCode.problem }
    do {
      var recording = try recording()
      let report = try replay(&recording, configuration)
      output.print(report.json(configuration: main)) {
        report.show(Terminal.standardOutput, configuration: main ?? "the defaults")
      }
    } catch let error as ExitCode {
      throw error
    } catch {
      StandardError.write("lifeguard: \(Printable.text("\(error)"))\n")
      throw ExitCode.problem
    }
  }

  private func recording() throws -> any BacktestRecording {
    guard csv.isEmpty else {
      return try FileRecording(
        csv, series: series.flatMap { Labels(seriesText: $0) }, from: interval.start,
        to: interval.end)
    }
    let directory = Places.absolute(data ?? Places.dataDirectory)
    return try StoreRecording(directory, from: interval.start, to: interval.end)
  }

  private func replay(
    _ recording: inout any BacktestRecording, _ configuration: Configuration
  ) throws -> BacktestReport {
    var progress = DatabaseProgress()
    defer { progress.end() }
    var test: Backtest?
    var names: Set<Labels> = []
    var (first, last): (Timestamp?, Timestamp?)
    while let series = try recording.next() {
      progress.show("replaying", recording.done, of: recording.total)
      var samples: [(index: Int, sample: Sample)] = []
      for (index, one) in series.enumerated() {
        names.insert(one.labels)
        samples += one.samples.map { (index, $0) }
      }
      samples.sort { $0.sample.timestamp < $1.sample.timestamp }
      guard let start = samples.first?.sample.timestamp else { continue }
      if test == nil {
        first = start
        test = Backtest(
          policy: Policy(configuration, host: HostInfo().hostname),
          inline: configuration.rules, groups: configuration.ruleGroups,
          interval: configuration.interval,
          evaluationInterval: configuration.evaluationInterval,
          pace: BacktestPace(
            series.map { ($0.labels, $0.samples.map(\.timestamp)) },
            interval: configuration.interval), start: start)
      }
      for (index, sample) in samples {
        test?.advance(to: sample.timestamp)
        test?.append(series[index].labels, sample)
      }
      last = samples.last?.sample.timestamp
    }
    guard var test, let first, let last else {
      throw ImportFault(text: "there are no samples between --from and --to")
    }
    test.advance(to: last + .milliseconds(1))
    return BacktestReport(test: test, first: first, last: last, series: names.count)
  }
}
