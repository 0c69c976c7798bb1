import LifeguardCore

/// One entry of `collect.scrape`: targets that are scraped alike.
public struct ScrapeSettings: Hashable, Sendable {
  public var job: String
  /// `host:port`, or any address that `relabel_configs` turns into one.
  public var targets: [String]
  public var interval: Duration = .seconds(15)
  public var timeout: Duration = .seconds(10)
  public var scheme = "http"
  public var metricsPath = "/metrics"
  /// Sent with the query, each with its values.
  public var parameters: [String: [String]] = [:]
  /// Added to every target.
  public var labels: [String: String] = [:]
  /// Whether a scraped label wins over a target's own; otherwise it becomes `exported_NAME`.
  public var honorsLabels = false
  public var honorsTimestamps = true
  public var access = WebAccess()
  public var relabelling: [RelabelRule] = []
  public var metricRelabelling: [RelabelRule] = []
  /// Samples of one scrape after relabelling; nil for no limit.
  public var sampleMax: Int?
  /// Bytes of one answer, decompressed.
  public var bodyBytesMax = 16 << 20
  public var labelMax: Int?
  public var labelNameBytesMax: Int?
  public var labelValueBytesMax: Int?
  /// For a target whose answer has no `Content-Type` or an unknown one; nil refuses it, as
  /// Prometheus v3 does.
  public var fallback: ExpositionFormat?

  public init(job: String, targets: [String]) {
    self.job = job
    self.targets = targets
  }

  /// A duration as relabelling leaves it in `__scrape_interval__`; nil when it is none, or zero.
  public static func duration(_ text: String) -> Duration? {
    guard case .success(let duration) = DurationFormat.parse(text), duration > .zero else {
      return nil
    }
    return duration
  }
}
