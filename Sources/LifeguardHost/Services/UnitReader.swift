import LifeguardCore

/// Reads the properties of many units with one call of `systemctl show`.
///
/// The death of a main process is seen by its pidfd; this is asked when one has died, before an
/// action, and rarely besides.
public struct UnitReader: Sendable {
  let runner: CommandRunner
  /// What to call; tests reach into a namespace with more words.
  let systemctl: [String]

  public init(runner: CommandRunner, systemctl: [String] = ["systemctl"]) {
    self.runner = runner
    self.systemctl = systemctl
  }

  public enum Failure: Error, Hashable, Sendable, CustomStringConvertible {
    case failed(String)

    public var description: String {
      switch self {
      case .failed(let message): "systemctl show: \(message)"
      }
    }
  }

  /// The properties of each unit, by its name.
  ///
  /// - Throws: when systemctl cannot be run, fails, or does not answer in time.
  public func read(
    _ units: [String], timeout: Duration = .seconds(5)
  ) async throws(Failure) -> [String: UnitProperties] {
    guard !units.isEmpty else { return [:] }
    let arguments =
      systemctl
      + ["show", "--no-pager", "-p", UnitProperties.names.joined(separator: ","), "--"] + units
    var options = CommandRunner.Options()
    options.grace = .milliseconds(200)
    options.outputLimit = 4 << 20
    let result = await runner.run(
      Command(arguments: arguments, timeout: timeout, disruptive: false), options: options)
    guard result.succeeded else { throw .failed(result.lastLine ?? result.summary) }
    let blocks = Self.blocks(result.standardOutput.text)
    guard blocks.count == units.count else {
      throw .failed("\(blocks.count) answers for \(units.count) units")
    }
    let pairs = zip(units, blocks.map { UnitProperties($0) })
    return Dictionary(pairs, uniquingKeysWith: { first, _ in first })
  }

  /// Blocks are divided by empty lines and come in the order of the arguments.
  static func blocks(_ text: String) -> [[Substring]] {
    text.split(separator: "\n", omittingEmptySubsequences: false)
      .split(whereSeparator: \.isEmpty).map(Array.init)
  }
}
