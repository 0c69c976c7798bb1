import LifeguardCore

/// Finds metrics in one log line: any JSON object with a metric's name as a key, and CloudWatch's
/// embedded metric format (EMF).
///
/// Values are numbers or numeric strings. What a line says about its origin becomes labels:
/// EMF's dimensions, and of a plain line those members that CloudWatch agents name their servers
/// by. Kept between lines are buffers and the label sets seen so far.
struct LogLineReader {
  enum Outcome {
    case metrics(Int)
    /// JSON, but nothing that a rule asks for.
    case noMetric
    /// Ordinary text: most log groups hold some.
    case notJSON
    /// Begins as JSON and is none, or a metric in it is no number.
    case bad
  }

  private(set) var wanted: WantedMetrics
  private var stream: String
  /// Values found in the line at hand: place of the metric, value.
  private var found: [(metric: Int, value: Double)] = []
  /// What the line says of its origin: names and values, zero bytes between them.
  private var origin: [UInt8] = []
  private var hasBadValue = false
  private var emfRange: Range<Int>?
  /// Series by origin and metric.
  private var places: [[UInt8]: [Int: Int]] = [:]
  /// The origin of the line before, which is mostly that of the next, and its series.
  private var lastOrigin: [UInt8] = []
  private var lastPlaces: [Int: Int] = [:]
  /// Those of lines without an origin of their own, which are most: by metric, −1 for unknown.
  private var plainPlaces: [Int] = []

  /// Members of a plain line that become labels, as the CloudWatch agent calls them.
  private static let originKeys: Set<String> = [
    "InstanceId", "AutoScalingGroupName", "ImageId", "InstanceType", "host", "service", "Service",
    "path", "device", "fstype", "interface", "cpu",
  ]
  /// So few that a look at each is quicker than a set.
  private static let originHashes = originKeys.map(WantedMetrics.hash)
  /// Longer texts are no names of anything.
  private static let originMax = 256
  private static let embeddedHash = WantedMetrics.hash("_aws")
  /// How deep nested objects are searched.
  private static let depthMax = 8

  init(wanted: WantedMetrics, stream: String) {
    self.wanted = wanted
    self.stream = stream
  }

  /// Reads one line and adds what it finds to the batch.
  mutating func read(
    _ line: UnsafeBufferPointer<UInt8>, at time: Int64, into batch: inout SampleBatch
  ) -> Outcome {
    var scanner = ByteScanner(line)
    guard scanner.peek() == UInt8(ascii: "{") else { return .notJSON }
    found.removeAll(keepingCapacity: true)
    origin.removeAll(keepingCapacity: true)
    hasBadValue = false
    emfRange = nil
    guard object(&scanner, WantedMetrics.seed, depth: 0), scanner.isAtEnd else { return .bad }
    if found.isEmpty { return hasBadValue ? .bad : .noMetric }
    var moment = time
    var labels: Labels?
    if let range = emfRange {
      guard let embedded = EmbeddedMetrics(line, metadata: range) else { return .bad }
      moment = embedded.time ?? time
      labels = embedded.labels(stream: stream)
    }
    for (metric, value) in found {
      let place = self.place(metric, labels, &batch)
      batch.entries.append(SampleBatch.Entry(series: place, time: moment, value: value))
    }
    return hasBadValue ? .bad : .metrics(found.count)
  }

  /// The members of an object; false when it is not one.
  private mutating func object(
    _ scanner: inout ByteScanner, _ prefix: UInt64, depth: Int
  ) -> Bool {
    guard scanner.take(UInt8(ascii: "{")) else { return false }
    if scanner.take(UInt8(ascii: "}")) { return true }
    repeat {
      guard let key = scanner.text(), scanner.take(UInt8(ascii: ":")) else { return false }
      let name = UnsafeBufferPointer(rebasing: scanner.bytes[key.range])
      let hash = WantedMetrics.hash(name, after: prefix)
      guard member(&scanner, key, hash, depth: depth) else { return false }
    } while scanner.take(UInt8(ascii: ","))
    return scanner.take(UInt8(ascii: "}"))
  }

  private mutating func member(
    _ scanner: inout ByteScanner, _ key: ByteScanner.Text, _ hash: UInt64, depth: Int
  ) -> Bool {
    guard let first = scanner.peek() else { return false }
    if first == UInt8(ascii: "{") {
      if depth == 0, hash == Self.embeddedHash {
        let start = scanner.position
        guard scanner.skipValue() else { return false }
        emfRange = start..<scanner.position
        return true
      }
      guard depth < Self.depthMax else { return scanner.skipValue() }
      return object(&scanner, WantedMetrics.joined(hash), depth: depth + 1)
    }
    if let metric = metric(hash, key, scanner, first, depth: depth) {
      return value(&scanner, metric)
    }
    if depth == 0, first == UInt8(ascii: "\""), Self.originHashes.contains(hash) {
      return noteOrigin(&scanner, key)
    }
    return scanner.skipValue()
  }

  private mutating func metric(
    _ hash: UInt64, _ key: ByteScanner.Text, _ scanner: ByteScanner, _ first: UInt8, depth: Int
  ) -> Int? {
    if let known = wanted.place(hash) {
      let name = UnsafeBufferPointer(rebasing: scanner.bytes[key.range])
      return wanted.ends(known, with: name, isWhole: depth == 0) ? known : nil
    }
    let isNumber = first == UInt8(ascii: "-") || (first >= 0x30 && first <= 0x39)
    guard wanted.takesAll, depth == 0, isNumber else { return nil }
    return wanted.place(adding: WantedMetrics.name(scanner.string(key)))
  }

  /// A number, a numeric string, or EMF's list of numbers, which counts as its mean.
  private mutating func value(_ scanner: inout ByteScanner, _ metric: Int) -> Bool {
    let start = scanner.position
    if scanner.peek() == UInt8(ascii: "[") {
      guard scanner.skipValue() else { return false }
      var inner = ByteScanner(scanner.bytes, at: start + 1)
      var sum = 0.0
      var count = 0.0
      repeat {
        guard let value = inner.number() else {
          hasBadValue = true
          return true
        }
        sum += value
        count += 1
      } while inner.take(UInt8(ascii: ","))
      found.append((metric, sum / count))
      return true
    }
    if let number = scanner.number() {
      found.append((metric, number))
      return true
    }
    hasBadValue = true
    scanner.position = start
    return scanner.skipValue()
  }

  private mutating func noteOrigin(_ scanner: inout ByteScanner, _ key: ByteScanner.Text) -> Bool {
    guard let text = scanner.text() else { return false }
    guard text.range.count <= Self.originMax else { return true }
    origin.append(contentsOf: UnsafeBufferPointer(rebasing: scanner.bytes[key.range]))
    origin.append(0)
    if text.hasEscapes {
      origin.append(contentsOf: Array(scanner.string(text).utf8))
    } else {
      origin.append(contentsOf: UnsafeBufferPointer(rebasing: scanner.bytes[text.range]))
    }
    origin.append(0)
    return true
  }

  private mutating func place(
    _ metric: Int, _ labels: Labels?, _ batch: inout SampleBatch
  ) -> Int {
    if var labels {
      labels[Labels.metricName] = wanted.names[metric]
      return batch.place(labels)
    }
    if origin.isEmpty {
      while plainPlaces.count <= metric { plainPlaces.append(-1) }
      if plainPlaces[metric] < 0 {
        plainPlaces[metric] = batch.place(
          [Labels.metricName: wanted.names[metric], "instance": stream])
      }
      return plainPlaces[metric]
    }
    if origin != lastOrigin {
      lastOrigin = origin
      lastPlaces = places[origin] ?? [:]
    }
    if let known = lastPlaces[metric] { return known }
    var labels: Labels = [Labels.metricName: wanted.names[metric]]
    let parts = origin.split(separator: 0, omittingEmptySubsequences: false)
    for index in stride(from: 0, to: parts.count - 1, by: 2) {
      labels[String(decoding: parts[index], as: UTF8.self)] =
        String(decoding: parts[index + 1], as: UTF8.self)
    }
    labels["instance"] = labels["InstanceId"] ?? stream
    let place = batch.place(labels)
    lastPlaces[metric] = place
    places[origin] = lastPlaces
    return place
  }
}
