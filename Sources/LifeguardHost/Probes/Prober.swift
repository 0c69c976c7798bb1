import LifeguardCore

/// Asks services whether they work: HTTP, TCP, or a command with Nagios exit codes.
///
/// HTTP and TCP probes share the reactor's thread: five hundred of them a second cost no thread and
/// a few system calls each. Redirects are not followed: a health page that moves is not healthy,
/// and where it leads was not configured. `https` is asked by the agent's HTTP client instead.
public final class Prober: Sendable {
  private let reactor: Reactor
  private let runner: CommandRunner
  private let names: NameCache

  public init(reactor: Reactor, runner: CommandRunner) throws(SystemCallError) {
    self.reactor = reactor
    self.runner = runner
    names = try NameCache()
  }

  /// Ends the thread that looks names up.
  public func stop() { names.stop() }

  /// Runs a probe once; never longer than its timeout.
  ///
  /// - Parameters:
  ///   - timeout: in place of the probe's own: wider under pressure (G20).
  ///   - user: whom a command runs as; nil is the owner of its script, or the agent's user.
  public func run(
    _ probe: Probe, timeout: Duration? = nil, user: String? = nil
  ) async -> ProbeAnswer {
    let limit = timeout ?? probe.timeout
    switch probe.kind {
    case .http(let url, let statuses, let body):
      guard let target = ProbeURL(url) else {
        return .failed(.unusable, "\(url) is not an http: URL")
      }
      let question = ConnectionProbe.Question(
        request: Self.request(target), statuses: statuses, body: body.map { Array($0.utf8) })
      return await connect(target.host, target.port, question, limit)
    case .tcp(let host, let port):
      return await connect(host, port, nil, limit)
    case .exec(let arguments):
      return await check(arguments, limit, user)
    }
  }

  private static func request(_ url: ProbeURL) -> [UInt8] {
    let lines = [
      "GET \(url.target) HTTP/1.1", "Host: \(url.authority)", "User-Agent: lifeguard",
      "Accept: */*", "Connection: close", "", "",
    ]
    return Array(lines.joined(separator: "\r\n").utf8)
  }

  private func connect(
    _ host: String, _ port: Int, _ question: ConnectionProbe.Question?, _ limit: Duration
  ) async -> ProbeAnswer {
    let result = OneShot<ProbeAnswer>()
    let probe = ConnectionProbe(reactor: reactor, question: question, result: result)
    let timer = reactor.after(limit) { probe.end(.timeout, "no answer within \(limit)") }
    defer { reactor.cancel(timer) }
    names.resolve(host, port: port) { probe.begin($0, name: host) }
    return await withTaskCancellationHandler {
      await result.value
    } onCancel: {
      probe.end(.unknown, "cancelled")
    }
  }

  /// Exit codes as in the Nagios plugin guidelines: 0 ok, 1 warning, 2 critical, 3 unknown.
  private func check(
    _ arguments: [String], _ limit: Duration, _ user: String?
  ) async -> ProbeAnswer {
    var options = CommandRunner.Options()
    options.grace = .milliseconds(500)
    options.outputLimit = 4096
    let command = Command(arguments: arguments, user: user, timeout: limit, disruptive: false)
    let ended = await runner.run(command, options: options)
    // The guidelines put the summary on the first line.
    let line = ended.standardOutput.text.split(separator: "\n").first.map(String.init)
    let message = line ?? ended.summary
    var result: ProbeAnswer
    switch ended.ending {
    case .exited(code: 0): result = ProbeAnswer(success: true, message: message)
    case .exited(code: 1):
      result = ProbeAnswer(success: true, isWarning: true, message: message)
    case .exited(code: 2): result = .failed(.critical, message)
    case .exited, .signaled, .cancelled: result = .failed(.unknown, message)
    case .timedOut: result = .failed(.timeout, ended.summary)
    case .couldNotStart: result = .failed(.unusable, ended.summary)
    }
    result.duration = ended.duration
    return result
  }
}
