/// The type of a metric, in the words of the Prometheus text format 0.0.4 and OpenMetrics 1.0.
public enum MetricType: String, Hashable, Sendable, CaseIterable {
  /// Only rises, except for a reset to zero.
  case counter
  /// May rise and fall.
  case gauge
  case histogram
  case summary
  /// Labels that describe something; the value is always 1.
  case info
  /// Not known: `untyped` in the Prometheus text format, `unknown` in OpenMetrics.
  case untyped
}
