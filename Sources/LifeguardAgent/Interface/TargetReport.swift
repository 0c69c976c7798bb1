import LifeguardCore

/// Something that samples come from, for `/api/v1/targets`.
public struct TargetReport: Sendable {
  public var job: String
  public var url: String
  /// Before relabelling.
  public var discoveredLabels: Labels
  public var labels: Labels
  /// `up`, `down`, or `unknown` before the first look.
  public var health: String
  public var lastError: String
  public var lastScrape: Timestamp?
  public var lastScrapeDuration: Duration
  public var interval: Duration
  public var timeout: Duration
  /// Whether relabelling left it out.
  public var isDropped: Bool
}
