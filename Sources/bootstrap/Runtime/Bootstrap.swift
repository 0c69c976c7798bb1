import Glibc
import LifeguardAWS
import LifeguardConfiguration
import LifeguardCore

/// The Lambda function: reads its environment, then asks the runtime API for events until the end.
///
/// `main` is synchronous, because a process that is started for one event is measured by its start:
/// no thread is made and no connection opened before the first event needs it.
@main
enum Bootstrap {
  static func main() {
    let environment = processEnvironment()
    let log = RuntimeLog(
      level: environment["AWS_LAMBDA_LOG_LEVEL"].flatMap { RuntimeLog.Level(lambda: $0) } ?? .info,
      now: { wallClock() })
    guard let address = environment["AWS_LAMBDA_RUNTIME_API"],
      let connection = RuntimeConnection(address: address)
    else {
      log.error(
        "Not in Lambda",
        [("reason", .string("AWS_LAMBDA_RUNTIME_API is not set; this program is a Lambda runtime"))]
      )
      exit(78)
    }
    var loop = RuntimeLoop(connection: connection, log: log, now: { wallClock() })
    let function: Function
    do {
      function = try make(environment, log)
    } catch {
      log.error("Cannot start", [("reason", .string("\(error)"))])
      loop.reportInitError("Runtime.InvalidConfiguration", "\(error)")
      exit(1)
    }
    do throws(RuntimeConnection.Failure) {
      try loop.run(
        trace: { setenv("_X_AMZN_TRACE_ID", $0 ?? "", 1) },
        handle: { body, invocation in
          Blocking.wait { await function.handle(body, invocation) }
        })
    } catch {
      log.error("Runtime API failed", [("reason", .string(error.description))])
      exit(1)
    }
  }

  private static func make(
    _ environment: [String: String], _ log: RuntimeLog
  ) throws -> Function {
    let settings = try FunctionSettings(environment)
    let transport = AsyncHTTPTransport()
    let client = AWSClient(AWSSettings(environment: environment), transport: transport)
    let source = ConfigurationSource(settings: settings, environment: environment) { secret in
      Blocking.wait { await RemoteSecrets(client: client).fetch(secret) }
    }
    let configuration = try source.load { log.warn("Configuration", [("problem", .string($0))]) }
    var table: any StateTable = SandboxTable()
    if let name = settings.table {
      table = DynamoTable(table: name, fleet: settings.fleet, client: client)
    }
    if settings.table == nil {
      log.warn(
        "No state table",
        [
          (
            "reason",
            .string(
              "LIFEGUARD_STATE_TABLE is not set: events are told, nothing remote is done, and a"
                + " local script runs once per event in this sandbox")
          )
        ])
    }
    return Function(
      rules: FunctionRules(configuration, ageMax: settings.ageMax), fleet: settings.fleet,
      table: table,
      hands: FunctionHands(
        cloud: CloudHands(client), scripts: LocalScript(), transport: transport),
      messenger: Messenger(
        client: client, transport: transport, receivers: configuration.receivers, log: log),
      client: client, alarms: settings.alarms, log: log, ownLogGroup: settings.ownLogGroup,
      stopCommands: stopCommands(settings), now: { wallClock() },
      pause: { duration in
        // why try?: cancelled, it ends at once, which is all that is asked of it.
        try? await Task.sleep(for: duration)
      })
  }

  private static func stopCommands(_ settings: FunctionSettings) -> [String] {
    guard let table = settings.table else { return ["remove the function's subscription"] }
    return [
      "aws dynamodb update-item --table-name \(table) --key"
        + " '{\"pk\":{\"S\":\"state#\(settings.fleet)\"}}' --update-expression 'SET frozen = :by'"
        + " --expression-attribute-values '{\":by\":{\"S\":\"YOUR NAME\"}}'"
    ]
  }

  private static func wallClock() -> Timestamp {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return Timestamp(milliseconds: Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000)
  }

  private static func processEnvironment() -> [String: String] {
    var result: [String: String] = [:]
    var entry = environ
    while let text = entry.pointee {
      let pair = String(cString: text)
      if let equals = pair.firstIndex(of: "=") {
        result[String(pair[..<equals])] = String(pair[pair.index(after: equals)...])
      }
      entry += 1
    }
    return result
  }
}
