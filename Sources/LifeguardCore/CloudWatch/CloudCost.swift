/// What handing metrics and log lines to CloudWatch costs in a month of 730 hours.
///
/// Prices are those of us-east-1 without free tier (aws.amazon.com/cloudwatch/pricing, looked at in
/// November 2026): other regions are up to a quarter dearer, and an account with more than 10,000
/// metrics pays less for the rest.
public struct CloudCost: Hashable, Sendable, Codable {
  /// US dollars a month for a metric with its dimensions; high resolution costs the same.
  public static let perMetric = 0.30
  /// For a thousand requests.
  public static let perThousandRequests = 0.01
  /// For a gigabyte of log lines, with the 26 bytes that CloudWatch adds to each.
  public static let perLogGigabyte = 0.50
  public static let source = "aws.amazon.com/cloudwatch/pricing, us-east-1, November 2026"

  private static let monthSeconds = 730.0 * 3600
  private static let lineOverhead = 26
  /// Data of one PutMetricData request.
  private static let dataMax = 1000.0

  /// Metrics as CloudWatch counts them.
  public var customMetrics: Int
  /// A month's.
  public var requests: Int
  public var logLines: Int
  public var logGigabytes: Double
  /// US dollars a month.
  public var metricDollars: Double
  public var requestDollars: Double
  public var logDollars: Double
  /// All of it.
  public var dollars: Double

  /// The bill for a use.
  public init(_ use: CloudUse) {
    customMetrics = use.metrics * use.dimensionSets
    let periods = max(use.sendEverySeconds / use.resolutionSeconds, 1)
    let data = Double(customMetrics) * periods
    let sends = Self.monthSeconds / max(use.sendEverySeconds, use.resolutionSeconds)
    let metricRequests =
      customMetrics == 0 ? 0 : Int((sends * (data / Self.dataMax).rounded(.up)).rounded())
    var lines = 0.0
    if let every = use.lineEverySeconds { lines = Self.monthSeconds / every }
    logLines = Int(lines.rounded())
    logGigabytes = lines * Double((use.lineBytes ?? 0) + Self.lineOverhead) / 1e9
    requests = metricRequests
    metricDollars = Double(customMetrics) * Self.perMetric
    requestDollars = Double(metricRequests) / 1000 * Self.perThousandRequests
    logDollars = logGigabytes * Self.perLogGigabyte
    dollars = metricDollars + requestDollars + logDollars
  }
}
