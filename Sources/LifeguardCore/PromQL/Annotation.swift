/// A remark about a result that is nevertheless given; the texts are Prometheus'.
public struct Annotation: Hashable, Sendable, CustomStringConvertible {
  public enum Kind: String, Hashable, Sendable {
    case warning = "PromQL warning"
    case info = "PromQL info"
  }

  public var kind: Kind
  public var message: String
  public var position: PositionRange
  /// `1:5` in the query, in the form of parse errors.
  public var place: String

  init(_ kind: Kind, _ message: String, at position: PositionRange) {
    self.kind = kind
    self.message = message
    self.position = position
    place = ""
  }

  /// Without the place: `PromQL info: …`.
  public var text: String { "\(kind.rawValue): \(message)" }

  /// As answers of the HTTP API carry it: `PromQL info: … (1:5)`.
  public var description: String { place.isEmpty ? text : "\(text) (\(place))" }

  func placed(in query: String) -> Annotation {
    var placed = self
    let (line, column) = position.lineAndColumn(in: query)
    placed.place = "\(line):\(column)"
    return placed
  }
}

extension Annotation {
  private static func named(_ metric: String) -> String {
    metric.isEmpty ? "" : " for metric name \(QuotedText.quoted(metric))"
  }

  static func invalidQuantile(_ value: Double, at position: PositionRange) -> Annotation {
    Annotation(
      .warning,
      "quantile value should be between 0 and 1, got \(NumberText.general(value))", at: position)
  }

  static func badBucketLabel(
    _ metric: String, _ value: String, at position: PositionRange
  ) -> Annotation {
    Annotation(
      .warning,
      "bucket label \"le\" is missing or has a malformed value of \(QuotedText.quoted(value))"
        + named(metric), at: position)
  }

  static func possibleNonCounter(_ metric: String, at position: PositionRange) -> Annotation {
    Annotation(
      .info,
      "metric might not be a counter, name does not end in _total/_sum/_count/_bucket:"
        + " \(QuotedText.quoted(metric))", at: position)
  }

  static func forcedMonotonicity(
    _ metric: String, at position: PositionRange
  ) -> Annotation {
    Annotation(
      .info,
      "input to histogram_quantile needed to be fixed for monotonicity (see"
        + " https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile)"
        + named(metric), at: position)
  }

  /// A selector read down-sampled data; the text is Lifeguard's own, for Prometheus has none.
  ///
  /// - Parameter resolution: the length of the coarsest bucket that was read.
  public static func downsampled(
    _ use: SampleUse, before: Timestamp, resolution: Duration, at position: PositionRange,
    in query: String
  ) -> Annotation {
    Annotation(
      .info,
      "single samples have expired up to \(before.text): "
        + "\(use.words) of \(resolution.text) are read",
      at: position
    ).placed(in: query)
  }

  /// Stored samples that could not be read were left out.
  public static func damagedSamples(_ chunks: Int, in query: String) -> Annotation {
    Annotation(
      .warning,
      "\(chunks) damaged chunks of stored samples were left out; see lifeguard db verify",
      at: PositionRange(start: 0, end: 0)
    ).placed(in: query)
  }

  static func ineffectiveSort(at position: PositionRange) -> Annotation {
    Annotation(
      .warning,
      "sort is ineffective for range queries since results are always ordered by labels",
      at: position)
  }
}
