/// How metrics are written for a scraper.
public enum ExpositionFormat: Hashable, Sendable, CaseIterable {
  /// Prometheus text format 0.0.4.
  case prometheusText
  /// OpenMetrics text format 1.0.
  case openMetrics

  /// The value of the `Content-Type` header.
  public var contentType: String {
    switch self {
    case .prometheusText: "text/plain; version=0.0.4; charset=utf-8"
    case .openMetrics: "application/openmetrics-text; version=1.0.0; charset=utf-8"
    }
  }

  /// The same for a text whose names are written as `escaping` says.
  public func contentType(_ escaping: NameEscaping) -> String {
    switch (self, escaping) {
    case (_, .underscores): contentType
    case (.prometheusText, .allowUTF8):
      "text/plain; version=1.0.0; charset=utf-8; escaping=allow-utf-8"
    case (.openMetrics, .allowUTF8): contentType + "; escaping=allow-utf-8"
    }
  }

  /// What a scraper's `Accept` header asks for.
  ///
  /// OpenMetrics only for one who names it with a preference not below that of `text/plain`;
  /// everybody else, and one without the header, gets the Prometheus text format, as from
  /// client_golang (expfmt, Negotiate).
  public init(accept: String?) {
    self = .prometheusText
    guard let accept else { return }
    var openMetrics = -1.0
    var text = -1.0
    for part in accept.split(separator: ",") {
      let fields = part.split(separator: ";").map(Self.trimmed)
      guard let type = fields.first else { continue }
      var quality = 1.0
      for field in fields.dropFirst() where field.hasPrefix("q=") {
        quality = Double(field.dropFirst(2)) ?? 1
      }
      switch type {
      case "application/openmetrics-text": openMetrics = max(openMetrics, quality)
      case "text/plain", "text/*", "*/*": text = max(text, quality)
      default: break
      }
    }
    if openMetrics > 0, openMetrics >= text { self = .openMetrics }
  }

  private static func trimmed(_ text: Substring) -> String {
    String(text.filter { $0 != " " && $0 != "\t" }).lowercased()
  }
}
