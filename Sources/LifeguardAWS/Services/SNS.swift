import LifeguardCore

/// A message to a topic.
public struct SNSMessage: Hashable, Sendable {
  /// The topic's ARN; its region is the one that is called.
  public var topic: String
  public var message: String
  /// Made to fit SNS's rules when it is sent.
  public var subject: String?
  /// For the filters of subscriptions, all as strings; SQS takes at most 10 of a raw message.
  public var attributes: [String: String]
  /// What subscribers of a protocol (`email`, `https`, `sms` …) get instead of `message`.
  public var perProtocol: [String: String]
  /// Of FIFO topics.
  public var groupID: String?
  /// Of FIFO topics: the same within 5 min is delivered once.
  public var deduplicationID: String?

  /// A message from its parts.
  public init(
    topic: String, message: String, subject: String? = nil, attributes: [String: String] = [:],
    perProtocol: [String: String] = [:]
  ) {
    self.topic = topic
    self.message = message
    self.subject = subject
    self.attributes = attributes
    self.perProtocol = perProtocol
  }
}

/// The Simple Notification Service.
public struct SNS: Sendable {
  /// Bytes of a message with its attributes (docs.aws.amazon.com/sns/latest/api/API_Publish.html).
  public static let messageBytesMax = 262_144
  static let subjectMax = 100

  let client: AWSClient

  /// Sends a message and returns its id.
  ///
  /// It is not sent again when the answer was lost, unless it has a deduplication id: then
  /// `mayHaveBeenDone` is true, and whether twice is better than never is the caller's decision.
  public func publish(_ message: SNSMessage) async throws(AWSError) -> String {
    var input = QueryInput()
    input["TopicArn"] = message.topic
    input["Subject"] = message.subject.flatMap(Self.subject)
    input["Message"] = Self.body(message)
    if !message.perProtocol.isEmpty { input["MessageStructure"] = "json" }
    for (index, attribute) in message.attributes.sorted(by: { $0.key < $1.key }).enumerated() {
      let prefix = "MessageAttributes.entry.\(index + 1)"
      input["\(prefix).Name"] = attribute.key
      input["\(prefix).Value.DataType"] = "String"
      input["\(prefix).Value.StringValue"] = attribute.value
    }
    input["MessageGroupId"] = message.groupID
    input["MessageDeduplicationId"] = message.deduplicationID
    let bytes = Self.bytes(of: message)
    guard bytes <= Self.messageBytesMax else {
      throw AWSError(
        .invalid, service: "sns", action: "Publish",
        message: "the message has \(bytes) bytes; at most \(Self.messageBytesMax)")
    }
    let region = ARN(message.topic).map(\.region).flatMap { $0.isEmpty ? nil : $0 }
    let client = region.map(client.inRegion) ?? client
    let result = try await client.query(
      .sns, "Publish", input, repeatable: message.deduplicationID != nil)
    return result.value("MessageId") ?? ""
  }

  /// What a message counts for: its body as it is sent, with whatever had to be escaped in it, and
  /// its attributes.
  static func bytes(of message: SNSMessage) -> Int {
    message.attributes.reduce(body(message).utf8.count) { sum, attribute in
      sum + attribute.key.utf8.count + attribute.value.utf8.count + "String".utf8.count
    }
  }

  private static func body(_ message: SNSMessage) -> String {
    guard !message.perProtocol.isEmpty else { return message.message }
    var object = JSONObject()
    object["default"] = .string(message.message)
    for (name, text) in message.perProtocol.sorted(by: { $0.key < $1.key }) {
      object[name] = .string(text)
    }
    return JSON.object(object).text()
  }

  /// A subject by SNS's rules: ASCII, without line breaks and control characters, at most 100
  /// characters, beginning with a letter, a digit or punctuation; nil when nothing is left.
  public static func subject(_ text: String) -> String? {
    var result = ""
    for scalar in text.unicodeScalars {
      switch scalar.value {
      case 0x21...0x7E: result.unicodeScalars.append(scalar)
      case 0x00...0x20, 0x7F...0xA0, 0x2028, 0x2029:
        if !result.isEmpty, result.last != " " { result += " " }
      default: result += "?"
      }
    }
    result = String(result.prefix(subjectMax))
    while result.last == " " { result.removeLast() }
    return result.isEmpty ? nil : result
  }
}
