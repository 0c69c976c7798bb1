import LifeguardAWS
import LifeguardCore
import Synchronization

/// Answers calls by their actions, each with its texts in turn, the last one again and again.
final class CloudScript: Sendable {
  struct Call: Sendable {
    var service: String
    var action: String
    var request: AWSRequest
    var status: Int
    var answer: String
  }

  let clock = VirtualClock()
  private let answers: [String: [String]]
  private let failures: [String: ScriptedTransport.Answer]
  private let seen = Mutex<[Call]>([])
  private let times = Mutex<[Duration]>([])

  /// - Parameters:
  ///   - answers: bodies by action; an action that has none is answered with its empty form.
  ///   - failures: what these actions get instead.
  init(_ answers: [String: [String]], failures: [String: ScriptedTransport.Answer] = [:]) {
    self.answers = answers
    self.failures = failures
  }

  var calls: [Call] { seen.withLock { $0 } }
  var actions: [String] { calls.map(\.action) }
  /// The longest that any call was given.
  var longest: Duration { times.withLock { $0.max() } ?? .zero }

  func requests(_ action: String) -> [AWSRequest] {
    calls.filter { $0.action == action }.map(\.request)
  }

  func hands(region: String = "eu-west-1") -> CloudHands {
    let client = AWSClient(
      AWSSettings(environment: ["AWS_REGION": region]), transport: Transport(script: self),
      credentials: StaticCredentials(.example), clock: clock.clock)
    return CloudHands(client, sleep: { self.clock.advance($0) })
  }

  /// What was asked and answered, as `shapes.py` reads it; failures have shapes of their own.
  var lines: [String] {
    calls.filter { $0.status < 300 }.map { call in
      let headers = JSONObject(call.request.headers.map { ($0.name, JSON.string($0.value)) })
      let line: JSON = [
        "service": .string(call.service), "action": .string(call.action),
        "method": .string(call.request.method), "path": .string(call.request.url.path),
        "query": .string(call.request.url.query ?? ""), "headers": .object(headers),
        "body": .string(call.request.bodyText), "answer": .string(call.answer),
      ]
      return line.text()
    }
  }

  private func answer(
    _ request: AWSRequest, _ timeout: Duration
  ) async throws(AWSTransportError) -> AWSResponse {
    let target = request.headers.first { $0.name.lowercased() == "x-amz-target" }?.value
    let named = target?.split(separator: ".").last.map(String.init)
    let action = named ?? request.form["Action"] ?? "Invoke"
    let host = request.url.host.split(separator: ".").first.map(String.init) ?? ""
    times.withLock { $0.append(timeout) }
    let count = seen.withLock { seen in seen.count { $0.action == action } }
    let texts = answers[action] ?? [named == nil ? "<\(action)Response/>" : "{}"]
    var call = Call(
      service: host == "monitoring" ? "cloudwatch" : host, action: action, request: request,
      status: 200, answer: texts[min(count, texts.count - 1)])
    if let failure = failures[action] {
      call.status = 599
      if case .success(let response) = failure { call.status = response.status }
      seen.withLock { $0.append(call) }
      return try failure.get()
    }
    // An error's code stands for the error.
    if call.answer.hasPrefix("!") {
      call.status = 400
      call.answer = "{\"__type\": \"\(call.answer.dropFirst())\"}"
    }
    seen.withLock { $0.append(call) }
    return AWSResponse(status: call.status, body: Array(call.answer.utf8))
  }

  private struct Transport: AWSTransport {
    let script: CloudScript

    func send(
      _ request: AWSRequest, timeout: Duration
    ) async throws(AWSTransportError) -> AWSResponse {
      try await script.answer(request, timeout)
    }
  }
}

/// Answers of the services, in the forms of their models.
enum CloudAnswer {
  /// The one server.
  static let server = "i-0123456789abcdef0"

  static func instance(_ state: String, tags: [String: String] = [:]) -> String {
    let list = tags.map { "<item><key>\($0.key)</key><value>\($0.value)</value></item>" }
    return "<DescribeInstancesResponse><reservationSet><item><instancesSet><item>"
      + "<instanceId>\(server)</instanceId><instanceState><code>16</code><name>\(state)</name>"
      + "</instanceState><tagSet>\(list.joined())</tagSet></item></instancesSet></item>"
      + "</reservationSet></DescribeInstancesResponse>"
  }

  static let noInstance =
    "<DescribeInstancesResponse><reservationSet/></DescribeInstancesResponse>"

  /// The group `web`: the server is its first instance; these are their states.
  static func group(
    _ states: [String], desired: Int, bounds: ClosedRange<Int> = 1...4,
    tags: [String: String] = [:], suspended: [String] = []
  ) -> String {
    let members = states.enumerated().map { index, state in
      member(index == 0 ? server : "i-\(index)", state)
    }
    let list = tags.map { "<member><Key>\($0.key)</Key><Value>\($0.value)</Value></member>" }
    let processes = suspended.map { "<member><ProcessName>\($0)</ProcessName></member>" }
    return query(
      "DescribeAutoScalingGroups",
      "<AutoScalingGroups><member><AutoScalingGroupName>web</AutoScalingGroupName>"
        + "<MinSize>\(bounds.lowerBound)</MinSize><MaxSize>\(bounds.upperBound)</MaxSize>"
        + "<DesiredCapacity>\(desired)</DesiredCapacity><Instances>\(members.joined())</Instances>"
        + "<SuspendedProcesses>\(processes.joined())</SuspendedProcesses>"
        + "<Tags>\(list.joined())</Tags></member></AutoScalingGroups>")
  }

  static let membership = query(
    "DescribeAutoScalingInstances",
    "<AutoScalingInstances><member><InstanceId>\(server)</InstanceId>"
      + "<AutoScalingGroupName>web</AutoScalingGroupName></member></AutoScalingInstances>")

  static let noMembership = query("DescribeAutoScalingInstances", "<AutoScalingInstances/>")

  static func query(_ action: String, _ result: String) -> String {
    "<\(action)Response><\(action)Result>\(result)</\(action)Result></\(action)Response>"
  }

  static let sent = #"{"Command":{"CommandId":"12345678-1234-1234-1234-123456789012"}}"#

  static func command(
    _ status: String, _ details: String, code: Int = 0, output: String = "", error: String = ""
  ) -> String {
    let answer: JSON = [
      "CommandId": "12345678-1234-1234-1234-123456789012", "InstanceId": .string(server),
      "Status": .string(status), "StatusDetails": .string(details),
      "ResponseCode": .integer(Int64(code)), "StandardOutputContent": .string(output),
      "StandardErrorContent": .string(error),
    ]
    return answer.text()
  }

  /// `InService`, or `InService!` for an unhealthy one.
  private static func member(_ id: String, _ state: String) -> String {
    let health = state.hasSuffix("!") ? "Unhealthy" : "Healthy"
    let name = state.hasSuffix("!") ? String(state.dropLast()) : state
    return "<member><InstanceId>\(id)</InstanceId><LifecycleState>\(name)</LifecycleState>"
      + "<HealthStatus>\(health)</HealthStatus></member>"
  }
}
