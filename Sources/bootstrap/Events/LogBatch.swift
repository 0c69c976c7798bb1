import LifeguardCore

/// What CloudWatch Logs hands to a subscriber: the events of one log stream, packed.
struct LogBatch {
  var group = ""
  var stream = ""
  /// Sent by CloudWatch Logs itself to see whether somebody is there.
  var isControl = false
  var samples = SampleBatch()
  var events = 0
  /// Text that is no JSON, JSON without a metric, and what looked like one and was none.
  var plainLines = 0
  var otherLines = 0
  var badLines = 0
  /// Of the bad ones: events that are none, whatever they hold.
  private var badEvents = 0
  /// Over the identities of all events.
  private var idHash: UInt64 = 0xcbf2_9ce4_8422_2325
  /// When its newest event was logged.
  var newest: Int64 = .min

  /// The same for every delivery of this batch.
  var key: String { "logs|\(group)|\(stream)|\(events)|\(newest)|\(String(idHash, radix: 16))" }

  /// An event as CloudWatch Logs can send it holds fewer; more are counted, not read.
  static let eventsMax = 100_000

  /// Reads a whole event, `{"awslogs": {"data": "…"}}`.
  ///
  /// - Parameter ownGroup: this function's own log group, whose events it must never handle: it
  ///   would call itself for ever.
  static func read(
    _ body: UnsafeBufferPointer<UInt8>, data: Range<Int>, wanted: WantedMetrics,
    ownGroup: String?
  ) throws(EventError) -> LogBatch {
    guard let packed = Base64.decode(UnsafeBufferPointer(rebasing: body[data])) else {
      throw EventError(.malformed, "awslogs.data is not base64")
    }
    let text = try Gunzip.unpack(packed)
    let result: Result<LogBatch, EventError> = text.withUnsafeBufferPointer { bytes in
      do throws(EventError) {
        return .success(try read(unpacked: bytes, wanted: wanted, ownGroup: ownGroup))
      } catch {
        return .failure(error)
      }
    }
    return try result.get()
  }

  static func read(
    unpacked bytes: UnsafeBufferPointer<UInt8>, wanted: WantedMetrics, ownGroup: String?
  ) throws(EventError) -> LogBatch {
    var batch = LogBatch()
    var scanner = ByteScanner(bytes)
    let broken = EventError(.malformed, "the unpacked event is not a JSON object")
    guard scanner.take(UInt8(ascii: "{")) else { throw broken }
    var eventsAt: Int?
    var hasReadEvents = false
    var type = ""
    while let key = scanner.text(), scanner.take(UInt8(ascii: ":")) {
      switch scanner.string(key) {
      case "messageType": type = try string(&scanner, "messageType")
      case "logGroup": batch.group = try string(&scanner, "logGroup")
      case "logStream": batch.stream = try string(&scanner, "logStream")
      case "logEvents"
      where type == "DATA_MESSAGE" && !batch.stream.isEmpty
        && !batch.group.isEmpty && batch.group != ownGroup && eventsAt == nil:
        // Everything else is known already, as CloudWatch Logs writes it: one walk is enough.
        eventsAt = scanner.position
        hasReadEvents = true
        try batch.readEvents(&scanner, wanted)
      case "logEvents":
        // Read once everything else is known, whatever the order of the members.
        eventsAt = scanner.position
        guard scanner.skipValue() else {
          throw EventError(.malformed, "the unpacked event ends within logEvents")
        }
      default: guard scanner.skipValue() else { throw broken }
      }
      guard scanner.take(UInt8(ascii: ",")) else { break }
    }
    guard scanner.take(UInt8(ascii: "}")), scanner.isAtEnd else { throw broken }
    batch.isControl = type == "CONTROL_MESSAGE"
    guard !batch.isControl else { return batch }
    guard type == "DATA_MESSAGE" else {
      throw EventError(.unknownKind, "messageType is neither DATA_MESSAGE nor CONTROL_MESSAGE")
    }
    if let ownGroup, batch.group == ownGroup {
      throw EventError(
        .ownLogGroup,
        "the event comes from this function's own log group, \(ownGroup); remove its subscription")
    }
    guard let eventsAt else { throw EventError(.malformed, "logEvents is missing") }
    if !hasReadEvents {
      var events = ByteScanner(bytes, at: eventsAt)
      try batch.readEvents(&events, wanted)
    }
    batch.samples.sort()
    return batch
  }

  private static func string(
    _ scanner: inout ByteScanner, _ name: String
  ) throws(EventError) -> String {
    guard let text = scanner.text() else {
      throw EventError(.malformed, "\(name) is not a string")
    }
    return scanner.string(text)
  }

  private mutating func readEvents(
    _ scanner: inout ByteScanner, _ wanted: WantedMetrics
  ) throws(EventError) {
    guard scanner.take(UInt8(ascii: "[")) else {
      throw EventError(.malformed, "logEvents is not a list")
    }
    if scanner.take(UInt8(ascii: "]")) { return }
    var reader = LogLineReader(wanted: wanted, stream: stream)
    var line: [UInt8] = []
    var problem = ""
    repeat {
      let start = scanner.position
      do throws(EventError) {
        try readEvent(&scanner, &reader, &line)
      } catch {
        // One that cannot be read must not cost the others: it is counted and passed over.
        problem = error.reason
        scanner.position = start
        guard scanner.skipValue() else { throw error }
        badLines += 1
        badEvents += 1
      }
      events += 1
    } while scanner.take(UInt8(ascii: ","))
    guard scanner.take(UInt8(ascii: "]")) else {
      throw EventError(.malformed, "logEvents does not end")
    }
    guard badEvents < events else { throw EventError(.malformed, problem) }
  }

  private mutating func readEvent(
    _ scanner: inout ByteScanner, _ reader: inout LogLineReader, _ line: inout [UInt8]
  ) throws(EventError) {
    let broken = EventError(.malformed, "logEvents[\(events)] is not an object")
    guard scanner.take(UInt8(ascii: "{")) else { throw broken }
    var time: Int64?
    var message: ByteScanner.Text?
    while let key = scanner.text(), scanner.take(UInt8(ascii: ":")) {
      let name = UnsafeBufferPointer(rebasing: scanner.bytes[key.range])
      if ByteScanner.matches(name, "message") {
        message = scanner.text()
        guard message != nil else {
          throw EventError(.malformed, "logEvents[\(events)].message is not a string")
        }
      } else if ByteScanner.matches(name, "timestamp") {
        time = scanner.integer()
        guard let time, SampleBatch.times.contains(time) else {
          throw EventError(
            .malformed, "logEvents[\(events)].timestamp is not a time in milliseconds")
        }
      } else if ByteScanner.matches(name, "id") {
        let start = scanner.position
        guard scanner.skipValue() else { throw broken }
        noteID(UnsafeBufferPointer(rebasing: scanner.bytes[start..<scanner.position]))
      } else if !scanner.skipValue() {
        throw broken
      }
      guard scanner.take(UInt8(ascii: ",")) else { break }
    }
    guard scanner.take(UInt8(ascii: "}")) else { throw broken }
    guard let time, let message else {
      throw EventError(.malformed, "logEvents[\(events)] has no timestamp or no message")
    }
    newest = max(newest, time)
    guard events < Self.eventsMax else { return }
    count(read(scanner, message, time, &reader, &line))
  }

  private mutating func read(
    _ scanner: ByteScanner, _ message: ByteScanner.Text, _ time: Int64,
    _ reader: inout LogLineReader, _ line: inout [UInt8]
  ) -> LogLineReader.Outcome {
    guard message.hasEscapes else {
      return reader.read(
        UnsafeBufferPointer(rebasing: scanner.bytes[message.range]), at: time, into: &samples)
    }
    let count = scanner.unescape(message, into: &line)
    return line.withUnsafeBufferPointer {
      reader.read(UnsafeBufferPointer(rebasing: $0[..<count]), at: time, into: &samples)
    }
  }

  private mutating func count(_ outcome: LogLineReader.Outcome) {
    switch outcome {
    case .metrics: break
    case .noMetric: otherLines += 1
    case .notJSON: plainLines += 1
    case .bad: badLines += 1
    }
  }

  /// All of them, in their order, by one number: a delivery of other events is another batch.
  ///
  /// Eight bytes at a time, with a rotation so that each byte reaches all of the number: an
  /// identity has 56 digits, and byte by byte they took a tenth of the time for an event.
  private mutating func noteID(_ id: UnsafeBufferPointer<UInt8>) {
    let raw = UnsafeRawBufferPointer(id)
    var index = 0
    while index + 8 <= raw.count {
      mix(UInt64(littleEndian: raw.loadUnaligned(fromByteOffset: index, as: UInt64.self)))
      index += 8
    }
    while index < raw.count {
      mix(UInt64(raw[index]))
      index += 1
    }
  }

  private mutating func mix(_ word: UInt64) {
    let mixed = idHash ^ word
    idHash = (mixed << 29 | mixed >> 35) &* 0x100_0000_01b3
  }
}
