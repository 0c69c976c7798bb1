import LifeguardCore

/// A line of a log.
public struct LogEvent: Hashable, Sendable {
  public var timestamp: Timestamp
  public var message: String

  /// A line and when it was written.
  public init(_ message: String, at timestamp: Timestamp) {
    self.message = message
    self.timestamp = timestamp
  }
}

/// What became of an upload of log lines.
public struct LogUpload: Sendable {
  /// How many the service took.
  public var accepted = 0
  /// How many it did not take, before sending or after, and will never take.
  public var rejected = 0
  /// Why: `3 events are older than 14 days`.
  public var rejections: [String] = []
  /// Requests that succeeded.
  public var requests = 0
  /// Why the rest was not taken.
  public var failure: AWSError?
  /// Those that were not taken because of `failure`, in the order of time.
  public var remaining: [LogEvent] = []
}

/// Log lines that were found.
public struct FilteredLogEvents: Hashable, Sendable {
  public var events: [FilteredLogEvent] = []
  /// Whether the search came to its end.
  public var isComplete = false
}

/// A log line that was found.
public struct FilteredLogEvent: Hashable, Sendable {
  public var id: String
  public var stream: String
  public var message: String
  public var timestamp: Timestamp
  public var ingestion: Timestamp?
}

/// CloudWatch Logs.
public struct CloudWatchLogs: Sendable {
  /// Of one request, counted as bytes of messages and 26 more for each
  /// (docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutLogEvents.html).
  static let batchBytesMax = 1_048_576
  static let eventOverhead = 26
  static let batchEventsMax = 10_000
  static let batchSpanMax: Duration = .seconds(24 * 3600)
  private static let pagesMax = 200
  private static let pageSize: Int64 = 10_000

  let client: AWSClient

  /// Uploads lines in the order of time, in as few requests as the limits allow.
  ///
  /// A line that is too long is cut. When an answer is lost the batch is sent again: a line twice
  /// is better than no line.
  public func putLogEvents(
    group: String, stream: String, _ events: [LogEvent]
  ) async -> LogUpload {
    var upload = LogUpload()
    var rest = events.filter { !$0.message.isEmpty }.map(Self.fitted)[...]
    if rest.count < events.count {
      upload.rejected = events.count - rest.count
      upload.rejections = ["\(upload.rejected) events without a message"]
    }
    rest = rest.sorted { $0.timestamp < $1.timestamp }[...]
    while !rest.isEmpty {
      let batch = Self.batch(rest)
      do {
        let answer = try await client.json(
          .logs, "PutLogEvents",
          [
            "logGroupName": .string(group), "logStreamName": .string(stream),
            "logEvents": .array(
              batch.map {
                [
                  "timestamp": .integer($0.timestamp.milliseconds),
                  "message": .string($0.message),
                ]
              }),
          ], repeatable: true)
        upload.take(answer["rejectedLogEventsInfo"], of: batch.count)
      } catch {
        upload.failure = error
        upload.remaining = Array(rest)
        return upload
      }
      upload.requests += 1
      rest = rest.dropFirst(batch.count)
    }
    return upload
  }

  /// The longest start of the events that one request may hold.
  static func batch(_ events: ArraySlice<LogEvent>) -> ArraySlice<LogEvent> {
    var bytes = 0
    var count = 0
    guard let first = events.first else { return [] }
    for event in events {
      bytes += event.message.utf8.count + eventOverhead
      if count == batchEventsMax || (bytes > batchBytesMax && count > 0)
        || event.timestamp - first.timestamp > batchSpanMax
      {
        break
      }
      count += 1
    }
    return events.prefix(count)
  }

  /// An event that fits a request of its own; no character is cut in two.
  private static func fitted(_ event: LogEvent) -> LogEvent {
    let limit = batchBytesMax - eventOverhead
    guard event.message.utf8.count > limit else { return event }
    var bytes = Array(event.message.utf8.prefix(limit + 1))
    while let last = bytes.popLast(), last & 0xC0 == 0x80 {}
    var cut = event
    cut.message = String(decoding: bytes, as: UTF8.self)
    return cut
  }

  /// Lines of a group that match a pattern, in the order in which the service finds them.
  ///
  /// - Parameter eventsMax: more are left out, which `isComplete` tells.
  public func filterLogEvents(
    group: String, streams: [String] = [], streamPrefix: String? = nil, pattern: String? = nil,
    from: Timestamp? = nil, to: Timestamp? = nil, eventsMax: Int = 10_000
  ) async throws(AWSError) -> FilteredLogEvents {
    var input = JSONObject()
    input["logGroupName"] = .string(group)
    if !streams.isEmpty { input["logStreamNames"] = JSON(strings: streams) }
    input["logStreamNamePrefix"] = streamPrefix.map(JSON.string)
    input["filterPattern"] = pattern.map(JSON.string)
    input["startTime"] = from.map { .integer($0.milliseconds) }
    input["endTime"] = to.map { .integer($0.milliseconds) }
    input["limit"] = .integer(min(Int64(max(eventsMax, 1)), Self.pageSize))
    var found = FilteredLogEvents()
    for _ in 0..<Self.pagesMax {
      let page = try await client.json(.logs, "FilterLogEvents", .object(input), repeatable: true)
      found.events += (page["events"]?.array ?? []).map(FilteredLogEvent.init)
      guard let next = page["nextToken"]?.string, !next.isEmpty else {
        found.isComplete = found.events.count <= eventsMax
        break
      }
      guard found.events.count < eventsMax else { break }
      input["nextToken"] = .string(next)
    }
    found.events = Array(found.events.prefix(eventsMax))
    return found
  }

  /// Makes a log group; false when it is there already.
  public func createLogGroup(
    _ name: String, tags: [String: String] = [:]
  ) async throws(AWSError) -> Bool {
    var input = JSONObject()
    input["logGroupName"] = .string(name)
    if !tags.isEmpty {
      input["tags"] = .object(
        JSONObject(tags.sorted { $0.key < $1.key }.map { ($0.key, JSON.string($0.value)) }))
    }
    return try await create("CreateLogGroup", input)
  }

  /// Makes a log stream; false when it is there already.
  public func createLogStream(group: String, stream: String) async throws(AWSError) -> Bool {
    var input = JSONObject()
    input["logGroupName"] = .string(group)
    input["logStreamName"] = .string(stream)
    return try await create("CreateLogStream", input)
  }

  private func create(_ action: String, _ input: JSONObject) async throws(AWSError) -> Bool {
    do {
      _ = try await client.json(.logs, action, .object(input), repeatable: true)
      return true
    } catch {
      guard error.code == "ResourceAlreadyExistsException" else { throw error }
      return false
    }
  }
}

extension LogUpload {
  /// A success may hold a failure: events outside of what the group keeps.
  mutating func take(_ info: JSON?, of count: Int) {
    // Ends are exclusive, the start is inclusive; all count from 0 within the batch. An end that is
    // told at all tells of one event at least.
    let tooOld = info?["tooOldLogEventEndIndex"]?.integer.map { max(Int($0), 1) } ?? 0
    let expired = info?["expiredLogEventEndIndex"]?.integer.map { max(Int($0), 1) } ?? 0
    let tooNew = info?["tooNewLogEventStartIndex"]?.integer.map { count - Int($0) } ?? 0
    if tooOld > 0 { rejections.append("\(tooOld) events are older than 14 days") }
    if expired > tooOld {
      rejections.append("\(expired - tooOld) events are older than the group keeps them")
    }
    if tooNew > 0 { rejections.append("\(tooNew) events are more than 2 hours ahead") }
    let lost = min(max(max(tooOld, expired) + max(tooNew, 0), 0), count)
    rejected += lost
    accepted += count - lost
  }
}

extension FilteredLogEvent {
  init(_ json: JSON) {
    // Another implementation of the service numbers its events.
    id = json["eventId"]?.string ?? json["eventId"]?.integer.map { "\($0)" } ?? ""
    stream = json["logStreamName"]?.string ?? ""
    message = json["message"]?.string ?? ""
    timestamp = Timestamp(milliseconds: json["timestamp"]?.integer ?? 0)
    ingestion = json["ingestionTime"]?.integer.map { Timestamp(milliseconds: $0) }
  }
}
