import LifeguardAWS
import LifeguardCore
import NIOHTTP1
import Synchronization

/// Amazon's side on loopback: the metadata service of an instance, CloudWatch, and its logs.
final class StubCloud: Sendable {
  struct State {
    /// Below `/latest/meta-data/`.
    var metadata: [String: String] = [:]
    var calls: [(action: String, body: JSON)] = []
    /// Streams that exist, by name.
    var streams: Set<String> = []
    /// What `PutMetricData` is answered.
    var status = 200
    /// The instance's tags as EC2 tells them.
    var tags: [(String, String)] = []
  }

  let state = Mutex(State())

  /// An instance in an Auto Scaling group.
  init() {
    state.withLock { state in
      state.metadata = [
        "instance-id": "i-0abc", "ami-id": "ami-1", "instance-type": "t3.micro",
        "placement/availability-zone": "eu-west-1a", "placement/region": "eu-west-1",
        "autoscaling/target-lifecycle-state": "InService",
      ]
      state.tags = [("aws:autoscaling:groupName", "web"), ("Role", "front")]
    }
  }

  static func settings(_ address: String, _ more: [String: String] = [:]) -> AWSSettings {
    var environment = [
      "AWS_ENDPOINT_URL": "http://\(address)",
      "AWS_EC2_METADATA_SERVICE_ENDPOINT": "http://\(address)", "AWS_REGION": "eu-west-1",
      "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "secret",
    ]
    environment.merge(more) { _, new in new }
    return AWSSettings(environment: environment)
  }

  func set(_ path: String, _ text: String?) { state.withLock { $0.metadata[path] = text } }

  func answer(_ request: ByteServer.Request) -> ByteServer.Answer {
    let base = "/latest/meta-data/"
    if request.path == "/latest/api/token" { return .text("token") }
    if request.path.hasPrefix(base) {
      let text = state.withLock { $0.metadata[String(request.path.dropFirst(base.count))] }
      return text.map { .text($0) } ?? ByteServer.Answer(status: 404)
    }
    let body = String(decoding: request.body, as: UTF8.self)
    if body.hasPrefix("Action=DescribeTags") { return tags() }
    let target = request.headers.first(name: "X-Amz-Target") ?? ""
    return call(String(target.split(separator: ".").last ?? ""), body)
  }

  private func tags() -> ByteServer.Answer {
    let items = state.withLock(\.tags).map {
      "<item><resourceId>i-0abc</resourceId><resourceType>instance</resourceType>"
        + "<key>\($0.0)</key><value>\($0.1)</value></item>"
    }
    return .text(
      "<DescribeTagsResponse><tagSet>\(items.joined())</tagSet></DescribeTagsResponse>", "text/xml")
  }

  private func call(_ action: String, _ body: String) -> ByteServer.Answer {
    // A body that is no JSON shows as a call without one.
    let json = (try? JSON.parse(body)) ?? .null
    return state.withLock { state in
      if action == "PutMetricData", state.status != 200 {
        return ByteServer.Answer(
          status: state.status, body: Array(#"{"__type":"AccessDenied"}"#.utf8))
      }
      let stream = json["logStreamName"]?.string ?? ""
      if action == "CreateLogStream" { state.streams.insert(stream) }
      if action == "PutLogEvents", !state.streams.contains(stream) {
        return ByteServer.Answer(
          status: 400, body: Array(#"{"__type":"ResourceNotFoundException"}"#.utf8))
      }
      state.calls.append((action, json))
      return .text("{}", "application/x-amz-json-1.1")
    }
  }

  func calls(_ action: String) -> [JSON] {
    state.withLock { state in state.calls.filter { $0.action == action }.map(\.body) }
  }

  /// Every datum that came, in order.
  var data: [JSON] { calls("PutMetricData").flatMap { $0["MetricData"]?.array ?? [] } }

  /// Every line that came, in order.
  var lines: [String] {
    calls("PutLogEvents").flatMap {
      ($0["logEvents"]?.array ?? []).map { $0["message"]?.string ?? "" }
    }
  }
}

extension JSON {
  /// A datum's dimensions as `InstanceId=i-0abc`.
  var dimensions: [String] {
    (self["Dimensions"]?.array ?? []).map {
      "\($0["Name"]?.string ?? "?")=\($0["Value"]?.string ?? "?")"
    }
  }
}
