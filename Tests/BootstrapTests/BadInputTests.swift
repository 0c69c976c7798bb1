import LifeguardCore
import Testing

@testable import bootstrap

@Suite struct BadInputTests {
  private let decoder = EventDecoder(
    wanted: WantedMetrics(["CPUUtilization"], takesAll: false), ownGroup: nil)

  private func kind(_ body: [UInt8]) -> EventError.Kind? {
    do throws(EventError) {
      _ = try decoder.decode(body)
      return nil
    } catch {
      return error.kind
    }
  }

  @Test(arguments: [
    "", "{", "[]", "null", "7", "{}", #"{"awslogs": {}}"#, #"{"awslogs": {"data": 7}}"#,
    #"{"awslogs": {"data": "%%%%"}}"#, #"{"awslogs": {"data": "aGVsbG8="}}"#,
    #"{"awslogs": {"data": "aGVsbG8"}}"#, #"{"Records": []}"#, #"{"Records": [{}]}"#,
    #"{"Records": [{"EventSource": "aws:sns", "Sns": {"Message": "{}"}}]}"#,
    #"{"source": "aws.cloudwatch", "alarmArn": "a", "alarmData": {"alarmName": "x"}}"#,
    #"{"detail-type": "CloudWatch Alarm State Change", "detail": {}}"#,
    #"{"detail-type": "EC2 Instance State-change Notification"}"#,
    #"{"detail-type": "Scheduled Event", "time": "yesterday"}"#,
    #"{"source": "aws.health", "detail-type": "AWS Health Event"}"#,
  ])
  func `what is no event is refused with a reason`(text: String) {
    #expect(kind(Array(text.utf8)) != nil)
  }

  @Test func `an unknown kind is told by its members, not by its content`() {
    do throws(EventError) {
      _ = try decoder.decode(Array(#"{"secret": "hunter2", "detail-type": "x\ny"}"#.utf8))
      Issue.record("taken")
    } catch {
      #expect(error.kind == .unknownKind)
      #expect(error.reason.contains("\"secret\""))
      #expect(!error.reason.contains("hunter2"))
      #expect(!error.reason.contains("\n"))
    }
  }

  @Test func `a bomb is not unpacked beyond its limit`() {
    let bomb = Samples.gzip([UInt8](repeating: 0x20, count: Gunzip.bytesMax + 1000))
    #expect(throws: EventError.self) { try Gunzip.unpack(bomb) }
    #expect(kind(Array(#"{"awslogs": {"data": "\#(Samples.base64(bomb))"}}"#.utf8)) == .tooLarge)
  }

  @Test func `a trailer that lies about the size does not matter`() throws {
    var packed = Samples.gzip(Array("hello".utf8))
    packed[packed.count - 1] = 0xFF
    #expect(throws: EventError.self) { try Gunzip.unpack(packed) }
    let honest = Samples.gzip([UInt8](repeating: 0x41, count: 100_000))
    #expect(try Gunzip.unpack(honest).count == 100_000)
  }

  @Test func `data that ends too early is no event`() {
    let whole = Samples.gzip(Array(#"{"messageType": "DATA_MESSAGE"}"#.utf8))
    for length in 0..<whole.count {
      #expect(throws: EventError.self) { try Gunzip.unpack(Array(whole.prefix(length))) }
    }
  }

  @Test(arguments: [
    #"{"messageType": "DATA_MESSAGE"}"#, #"{"messageType": "X", "logEvents": []}"#,
    #"{"messageType": "DATA_MESSAGE", "logEvents": {}}"#,
    #"{"messageType": "DATA_MESSAGE", "logEvents": [{"id": "1"}]}"#,
    #"{"messageType": "DATA_MESSAGE", "logEvents": [{"timestamp": "x", "message": ""}]}"#,
    #"{"messageType": "DATA_MESSAGE", "logEvents": [{"timestamp": 1, "message": 2}]}"#,
    #"{"messageType": "DATA_MESSAGE", "logEvents": [{"timestamp": 1, "message": "a"}"#,
    #"{"messageType": 1, "logEvents": []}"#, #"["x"]"#, "", "{}",
  ])
  func `an unpacked event of another shape is refused`(text: String) {
    #expect(kind(Samples.packed(Array(text.utf8))) != nil)
  }

  @Test func `what follows the data must end, too`() {
    let data = Samples.base64(Samples.gzip(Array(#"{"messageType": "CONTROL_MESSAGE"}"#.utf8)))
    let whole = #"{"awslogs": {"data": "\#(data)"}}"#
    #expect(kind(Array(whole.utf8)) == nil)
    #expect(kind(Array(#"{"awslogs": {"data": "\#(data)", "new": [1]}, "more": {}}"#.utf8)) == nil)
    for end in ["", "}", "}} x", "}}}", ", }}", "}, \"a\"}"] {
      #expect(kind(Array((whole.dropLast(2) + end).utf8)) == .malformed, "\(end)")
    }
  }

  @Test(arguments: [
    #"{"id": "2"}"#, "7", #""text""#, #"{"timestamp": "soon", "message": "x"}"#,
    #"{"timestamp": 1713567600000, "message": 7}"#,
    #"{"timestamp": 9223372036854775807, "message": "{\"CPUUtilization\": 2}"}"#,
    #"{"timestamp": -9223372036854775808, "message": "{\"CPUUtilization\": 2}"}"#,
    #"{"timestamp": 1713567600000, "message": "{\"CPUUtilization\": 2, \"_aws\": "#
      + #"{\"Timestamp\": -9223372036854775808, \"CloudWatchMetrics\": []}}"}"#,
    #"{"timestamp": 1713567600000, "message": "{\"CPUUtilization\": 2, \"_aws\": "#
      + #"{\"Timestamp\": \"now\", \"CloudWatchMetrics\": []}}"}"#,
  ])
  func `one log event that cannot be read costs none of the others`(bad: String) throws {
    let good = #"{"id": "1", "timestamp": 1713567600000, "message": "{\"CPUUtilization\": 9}"}"#
    let text =
      #"{"messageType": "DATA_MESSAGE", "logGroup": "g", "logStream": "s", "logEvents": ["#
      + "\(good), \(bad), \(good)]}"
    guard case .logs(let batch) = try decoder.decode(Samples.packed(Array(text.utf8))) else {
      Issue.record("no logs")
      return
    }
    #expect(batch.samples.entries.map(\.value) == [9, 9])
    #expect(batch.badLines == 1)
    #expect(batch.events == 3)
  }

  @Test func `a record that is no alarm is told beside those that are`() throws {
    let good = String(decoding: try Samples.fixture("sns-alarm-metric"), as: UTF8.self)
    let json = try JSON.parse(good)
    let record = try #require(json["Records"]?[0]).text()
    let text =
      #"{"Records": [{"EventSource": "aws:sns", "Sns": {"Message": "hello"}}, \#(record)]}"#
    guard case .alarms(let alarms, let problems) = try decoder.decode(Array(text.utf8)) else {
      Issue.record("no alarms")
      return
    }
    #expect(alarms.count == 1)
    #expect(problems.count == 1)
  }

  @Test func `no damage to an event does more than refuse it`() throws {
    let names = [
      "alarm-lambda-action-metric", "sns-alarm-metric-math", "eventbridge-alarm-composite",
      "logs-subscription.event", "eventbridge-scheduled",
    ]
    var random = Random(state: 7)
    for name in names {
      let whole = try Samples.fixture(name)
      for _ in 0..<400 {
        var body = whole
        switch random.next() % 3 {
        case 0: body.removeLast(Int(random.next() % UInt64(body.count)))
        case 1: body[Int(random.next() % UInt64(body.count))] = UInt8(random.next() & 0xFF)
        default:
          let start = Int(random.next() % UInt64(body.count))
          body.removeSubrange(start..<min(start + Int(random.next() % 40), body.count))
        }
        _ = kind(body)
      }
    }
  }

  @Test func `no damage to an unpacked event does more than refuse it`() {
    let whole = Array(
      (#"{"messageType":"DATA_MESSAGE","logGroup":"g","logStream":"s","logEvents":["#
        + #"{"id":"1","timestamp":1713567600000,"message":"{\"CPUUtilization\": 91.2, \"a\": [1]}"},"#
        + #"{"id":"2","timestamp":1713567601000,"message":"\ud83d\ude00 {\u0022"}]}"#).utf8)
    var random = Random(state: 11)
    for _ in 0..<4000 {
      var text = whole
      for _ in 0...(random.next() % 3) {
        let place = Int(random.next() % UInt64(text.count))
        switch random.next() % 3 {
        case 0: text[place] = UInt8(random.next() & 0xFF)
        case 1: text.remove(at: place)
        default: text.insert(whole[Int(random.next() % UInt64(whole.count))], at: place)
        }
      }
      text.withUnsafeBufferPointer { bytes in
        // why try?: only that it comes back matters.
        _ = try? LogBatch.read(
          unpacked: bytes, wanted: WantedMetrics(["CPUUtilization"], takesAll: false),
          ownGroup: nil)
      }
    }
  }

  /// SplitMix64: the same damage in every run.
  private struct Random {
    var state: UInt64

    mutating func next() -> UInt64 {
      state &+= 0x9E37_79B9_7F4A_7C15
      var value = state
      value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
      value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
      return value ^ (value >> 31)
    }
  }
}
