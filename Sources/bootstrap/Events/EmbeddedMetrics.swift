import LifeguardCore

/// What the `_aws` member of an embedded-metric-format line says: when, and of what.
///
/// Source: Amazon CloudWatch user guide, "Specification: embedded metric format".
struct EmbeddedMetrics {
  /// Milliseconds since 1970.
  var time: Int64?
  private var dimensions: [(name: String, value: String)] = []

  /// CloudWatch takes at most this many dimensions in a set.
  private static let dimensionsMax = 30

  /// - Parameter metadata: where the value of `_aws` stands in the line.
  init?(_ line: UnsafeBufferPointer<UInt8>, metadata: Range<Int>) {
    let bytes = Array(line[metadata])
    // why try?: a line that is no JSON is counted as bad by whoever asks.
    guard let json = try? JSON.parse(bytes, depthMax: 16) else { return nil }
    if let stamp = json["Timestamp"] {
      guard let time = stamp.integer, SampleBatch.times.contains(time) else { return nil }
      self.time = time
    }
    var names: Set<String> = []
    for directive in json["CloudWatchMetrics"]?.array ?? [] {
      for set in directive["Dimensions"]?.array ?? [] {
        for name in set.array ?? [] where names.count < Self.dimensionsMax {
          if let name = name.string { names.insert(name) }
        }
      }
    }
    guard !names.isEmpty else { return }
    // The values are members of the line itself.
    var scanner = ByteScanner(line)
    guard scanner.take(UInt8(ascii: "{")) else { return nil }
    while let key = scanner.text(), scanner.take(UInt8(ascii: ":")) {
      let name = scanner.string(key)
      if names.contains(name), scanner.peek() == UInt8(ascii: "\""), let text = scanner.text() {
        dimensions.append((name, scanner.string(text)))
      } else if !scanner.skipValue() {
        return nil
      }
      guard scanner.take(UInt8(ascii: ",")) else { break }
    }
  }

  /// Dimensions under their own names, and `instance`.
  func labels(stream: String) -> Labels {
    var labels = Labels()
    for (name, value) in dimensions { labels[name] = value }
    labels["instance"] = labels["InstanceId"] ?? stream
    return labels
  }
}
