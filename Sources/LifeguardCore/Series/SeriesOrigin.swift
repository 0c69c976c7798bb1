/// Where a series comes from; no label, so nobody can send another one.
///
/// What others send may inform people, but must not make this host act unless a plan says so
/// (`accept_origin: remote`).
public enum SeriesOrigin: String, Hashable, Sendable, Codable {
  /// Collected or calculated on this host from what was collected on it.
  case local
  /// Scraped, received by remote write, or calculated from such a series.
  case remote
}
