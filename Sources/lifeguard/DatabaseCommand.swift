import ArgumentParser
import LifeguardCore
import LifeguardServer
import LifeguardStore

/// `lifeguard db`: stored samples, without an agent.
struct DatabaseCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "db", abstract: "Looks at stored samples, and takes them out and in.",
    discussion: """
      Reading works beside a running agent; `import` wants the data directory for itself.
      """,
    subcommands: [
      DatabaseStats.self, DatabaseVerify.self, DatabaseExport.self, DatabaseImport.self,
    ])
}

/// Which file is meant.
struct DatabaseOptions: ParsableArguments {
  @Option(help: ArgumentHelp("The agent's data directory.", valueName: "directory"))
  var data: String?

  var directory: String { Places.absolute(data ?? Places.dataDirectory) }
  var path: String { "\(directory)/samples.db" }

  /// Runs `body`; says what went wrong, with its exit status.
  func withErrors(_ body: () throws -> Void) throws {
    do {
      try body()
    } catch let error as ExitCode {
      throw error
    } catch let error as ValidationError {
      throw error
    } catch {
      StandardError.write("lifeguard: \(Printable.text("\(error)"))\n")
      throw ExitCode.problem
    }
  }
}

/// What a long command shows on a terminal while it works, and nothing elsewhere.
struct DatabaseProgress {
  private let isShown = Terminal.standardErrorIsTerminal
  private var shown = -1

  /// A line that the next one overwrites; at most one for each percent.
  mutating func show(_ what: String, _ done: Int, of total: Int) {
    guard isShown, total > 0 else { return }
    let percent = done * 100 / total
    guard percent != shown else { return }
    shown = percent
    StandardError.write("\r\(what): \(percent) %\(done == total ? "\u{1B}[K\r" : "\u{1B}[K")")
  }

  /// The line is over.
  mutating func end() {
    if isShown, shown >= 0 { StandardError.write("\r\u{1B}[K") }
    shown = -1
  }
}

/// An interval of time on the command line.
struct DatabaseInterval: ParsableArguments {
  @Option(help: ArgumentHelp("Not before this time (2026-01-31T12:00:00Z).", valueName: "time"))
  var from: String?

  @Option(help: ArgumentHelp("Not after this time.", valueName: "time"))
  var to: String?

  func validate() throws {
    for (name, text) in [("--from", from), ("--to", to)] {
      guard let text, SampleCSV.timestamp(text) == nil else { continue }
      throw ValidationError(
        "\(name) \"\(text)\" is no time: write 2026-01-31T12:00:00Z or seconds since 1970")
    }
  }

  var start: Timestamp {
    from.flatMap { SampleCSV.timestamp($0) } ?? Timestamp(milliseconds: .min / 4)
  }
  var end: Timestamp {
    to.flatMap { SampleCSV.timestamp($0) } ?? Timestamp(milliseconds: .max / 4)
  }
}
