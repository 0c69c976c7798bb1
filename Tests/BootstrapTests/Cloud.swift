import Glibc
import LifeguardAWS
import LifeguardConfiguration
import LifeguardCore
import Synchronization

@testable import bootstrap

/// The services that the function talks to, answered by rule; every request is kept.
final class Cloud: AWSTransport {
  struct Call: Sendable {
    var action: String
    var body: String
  }

  struct State {
    var calls: [Call] = []
    var answers: [String: (Int, String)] = [:]
  }

  let state = Mutex(State())

  init() {
    answer(
      "Publish", 200,
      "<PublishResponse><PublishResult><MessageId>m-1</MessageId>"
        + "</PublishResult></PublishResponse>")
    answer("SendCommand", 200, #"{"Command": {"CommandId": "c-1"}}"#)
    answer(
      "GetCommandInvocation", 200,
      #"{"CommandId": "c-1", "InstanceId": "i-0aaa", "Status": "Success","#
        + #""StatusDetails": "Success", "ResponseCode": 0, "StandardOutputContent": "active\n","#
        + #""StandardErrorContent": ""}"#)
    answer(
      "DescribeInstances", 200,
      "<DescribeInstancesResponse><reservationSet><item><instancesSet><item>"
        + "<instanceId>i-0aaa</instanceId><instanceState><code>16</code><name>running</name>"
        + "</instanceState><instanceType>t3.micro</instanceType><imageId>ami-1</imageId>"
        + "</item></instancesSet></item></reservationSet></DescribeInstancesResponse>")
    answer(
      "RebootInstances", 200,
      "<RebootInstancesResponse><return>true</return>"
        + "</RebootInstancesResponse>")
    answer(
      "DescribeAutoScalingInstances", 200,
      "<DescribeAutoScalingInstancesResponse><DescribeAutoScalingInstancesResult>"
        + "<AutoScalingInstances/></DescribeAutoScalingInstancesResult>"
        + "</DescribeAutoScalingInstancesResponse>")
    answer("CancelCommand", 200, "{}")
    for action in ["StopInstances", "StartInstances"] {
      answer(action, 200, "<\(action)Response><instancesSet/></\(action)Response>")
    }
    answer("DescribeAlarms", 200, #"{"MetricAlarms": [], "CompositeAlarms": []}"#)
  }

  /// The state of the one server from now on.
  func turn(_ state: String) {
    answer(
      "DescribeInstances", 200,
      "<DescribeInstancesResponse><reservationSet><item><instancesSet><item>"
        + "<instanceId>i-0aaa</instanceId><instanceState><code>0</code><name>\(state)</name>"
        + "</instanceState></item></instancesSet></item></reservationSet>"
        + "</DescribeInstancesResponse>")
  }

  func answer(_ action: String, _ status: Int, _ body: String) {
    state.withLock { $0.answers[action] = (status, body) }
  }

  func calls(_ action: String) -> [Call] {
    state.withLock { state in state.calls.filter { $0.action == action } }
  }

  func send(_ request: AWSRequest, timeout: Duration) async throws(AWSTransportError) -> AWSResponse
  {
    let body = String(decoding: request.body, as: UTF8.self)
    let target = request.headers.first { $0.name.lowercased() == "x-amz-target" }?.value
    let named = target?.split(separator: ".").last.map(String.init)
    let query = body.split(separator: "&").first { $0.hasPrefix("Action=") }
    let action = named ?? query.map { String($0.dropFirst(7)) } ?? request.url.path
    let answer = state.withLock { state in
      state.calls.append(Call(action: action, body: body))
      return state.answers[action] ?? (400, #"{"__type": "UnknownOperationException"}"#)
    }
    return AWSResponse(status: answer.0, body: Array(answer.1.utf8))
  }
}

/// A function with everything around it made for a test, and time that only the test moves.
final class Sandbox: Sendable {
  let cloud = Cloud()
  let time = Mutex(Samples.time)
  let lines = Mutex<[String]>([])
  let function: bootstrap.Function
  private let began = ContinuousClock.now
  private let runs: Bool

  /// - Parameters:
  ///   - table: one that counts as the shared one.
  ///   - runs: time goes on by itself.
  init(
    _ yaml: String? = nil, environment: [String: String] = [:], table: (any StateTable)? = nil,
    runs: Bool = false
  ) throws {
    self.runs = runs
    var environment = environment
    environment["AWS_REGION"] = "us-east-1"
    environment["AWS_ACCESS_KEY_ID"] = "AKIDEXAMPLE"
    environment["AWS_SECRET_ACCESS_KEY"] = "secret"
    environment["AWS_LAMBDA_FUNCTION_NAME"] = "recovery"
    environment["LIFEGUARD_CONFIG"] = yaml
    let settings = try FunctionSettings(environment)
    let source = ConfigurationSource(settings: settings, environment: environment) { _ in
      .failure(FileFailure("is not there"))
    }
    let configuration = try source.load { _ in }
    let box = Box()
    let log = RuntimeLog(
      level: .debug, now: { box.sandbox?.now ?? Samples.time },
      write: { bytes in
        box.sandbox?.lines.withLock { $0.append(String(decoding: bytes, as: UTF8.self)) }
      })
    let client = AWSClient(
      AWSSettings(environment: environment), transport: cloud,
      clock: AWSClock(
        now: { Samples.time }, elapsed: { .zero }, sleep: { _ in }, random: { 0.5 }))
    let now: @Sendable () -> Timestamp = { box.sandbox?.now ?? Samples.time }
    function = bootstrap.Function(
      rules: FunctionRules(configuration, ageMax: settings.ageMax), fleet: settings.fleet,
      table: table ?? SandboxTable(),
      hands: FunctionHands(
        cloud: CloudHands(client, sleep: { _ in }), scripts: LocalScript(), transport: cloud),
      messenger: Messenger(
        client: client, transport: cloud, receivers: configuration.receivers, log: log),
      client: client, alarms: settings.alarms, log: log, ownLogGroup: "/aws/lambda/recovery",
      stopCommands: ["stop it"], now: now, pause: { _ in })
    box.hold(self)
  }

  /// The log's clock is the sandbox's, which exists after the log.
  private final class Box: Sendable {
    private let content = Mutex<Weak>(Weak())
    private struct Weak: Sendable { weak var sandbox: Sandbox? }

    var sandbox: Sandbox? { content.withLock { $0.sandbox } }
    func hold(_ sandbox: Sandbox) { content.withLock { $0.sandbox = sandbox } }
  }

  func advance(_ duration: Duration) { time.withLock { $0 = $0 + duration } }

  var now: Timestamp {
    time.withLock { $0 } + (runs ? ContinuousClock.now - began : .zero)
  }

  /// Milliseconds since 1970 outside of the sandbox.
  static func wallClock() -> Int64 {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
  }

  /// Hands an event in, and what is answered: its status word.
  @discardableResult
  func handle(
    _ body: [UInt8], request: String = "r-1", seconds: Int64 = 60
  ) async -> String {
    let outcome = await function.handle(
      body,
      RuntimeLoop.Invocation(
        requestID: request, deadline: now + .seconds(seconds),
        functionARN: "arn:aws:lambda:us-east-1:123456789012:function:recovery", traceID: nil))
    switch outcome {
    case .response(let bytes):
      // why try?: what is no JSON fails the test by its text.
      return (try? JSON.parse(bytes))?["status"]?.string ?? "?"
    case .failure(let type, _): return type
    }
  }

  /// A log event of this moment.
  func value(_ value: Double, stream: String = "i-0aaa", ago: Duration = .seconds(1)) -> [UInt8] {
    Samples.logs(
      [
        Samples.Line(
          time: (now - ago).milliseconds, message: "{\"CPUUtilization\": \(value)}")
      ], stream: stream)
  }
}

/// The sandbox's memory, said to be the shared table.
final class SharedTable: StateTable {
  let memory = SandboxTable()
  /// Writes that somebody else is faster at.
  let conflicts = Mutex(0)
  let saves = Mutex(0)
  /// What calls were given to end in.
  let limits = Mutex<[Duration]>([])

  /// What is remembered now.
  func document() async throws -> FleetDocument {
    try JSONCoder.decode(FleetDocument.self, from: try await memory.load().document)
  }

  /// What is remembered from before.
  func remember(_ document: FleetDocument) async throws {
    let version = try await memory.load().version
    _ = try await memory.save(try JSONCoder.encode(document), after: version, by: "before")
  }

  func within(_ limit: Duration) -> any StateTable {
    limits.withLock { $0.append(limit) }
    return self
  }

  var isDurable: Bool { true }
  func load() async throws(StateTableError) -> StoredFleet { try await memory.load() }
  func save(
    _ document: [UInt8], after version: Int64, by writer: String
  ) async throws(StateTableError) -> Int64? {
    let loses = conflicts.withLock { conflicts in
      guard conflicts > 0 else { return false }
      conflicts -= 1
      return true
    }
    if loses { return nil }
    saves.withLock { $0 += 1 }
    return try await memory.save(document, after: version, by: writer)
  }
  func claim(_ claim: EventClaim) async throws(StateTableError) -> EventClaim.Answer {
    try await memory.claim(claim)
  }
  func release(_ claim: EventClaim) async throws(StateTableError) {
    try await memory.release(claim)
  }
  func finish(_ claim: EventClaim, outcome: String) async throws(StateTableError) {
    try await memory.finish(claim, outcome: outcome)
  }
}
