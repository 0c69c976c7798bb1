import LifeguardConfiguration
import LifeguardCore

/// One target of a job, relabelled: where it is and which labels its series carry.
struct ScrapeTarget: Hashable, Sendable {
  /// Those of its job, with the interval and the timeout that relabelling gave it.
  var settings: ScrapeSettings
  /// Before relabelling, as the API shows them.
  var discovered: Labels
  /// After it, without those that begin with two underscores.
  var labels: Labels
  var url: String

  /// Every target of a job; those that relabelling drops have no URL.
  static func all(of settings: ScrapeSettings) -> (
    targets: [ScrapeTarget], dropped: [Labels], faults: [String]
  ) {
    var targets: [ScrapeTarget] = []
    var dropped: [Labels] = []
    var faults: [String] = []
    var seen: Set<ScrapeTarget> = []
    for address in settings.targets {
      let discovered = discovered(address, settings)
      var labels = discovered
      guard settings.relabelling.apply(to: &labels) else {
        dropped.append(discovered)
        continue
      }
      do throws(ScrapeFailure) {
        let target = try ScrapeTarget(labels, discovered, settings)
        if seen.insert(target).inserted { targets.append(target) }
      } catch {
        faults.append("target \(address) of job \(settings.job) \(error) after relabelling")
      }
    }
    return (targets, dropped, faults)
  }

  /// Source: Prometheus, `scrape/target.go`, `PopulateLabels`.
  private static func discovered(_ address: String, _ settings: ScrapeSettings) -> Labels {
    var labels = Labels(settings.labels.map { Label(name: $0.key, value: $0.value) })
    labels["__address__"] = address
    let defaults = [
      "job": settings.job, "__scheme__": settings.scheme,
      "__metrics_path__": settings.metricsPath, "__scrape_interval__": settings.interval.text,
      "__scrape_timeout__": settings.timeout.text,
    ]
    for (name, value) in defaults where labels[name] == nil { labels[name] = value }
    for (name, values) in settings.parameters {
      labels["__param_\(name)"] = values.first
    }
    return labels
  }

  private init(
    _ relabelled: Labels, _ discovered: Labels, _ settings: ScrapeSettings
  ) throws(ScrapeFailure) {
    guard let address = relabelled["__address__"], !address.contains("/") else {
      throw ScrapeFailure("has no address")
    }
    self.settings = settings
    if let text = relabelled["__scrape_interval__"] {
      self.settings.interval = try ScrapeTarget.duration(text, "scrape interval")
    }
    if let text = relabelled["__scrape_timeout__"] {
      self.settings.timeout = try ScrapeTarget.duration(text, "scrape timeout")
    }
    guard self.settings.timeout <= self.settings.interval else {
      throw ScrapeFailure(
        "has a scrape timeout (\(self.settings.timeout.text)) longer than its interval"
          + " (\(self.settings.interval.text))")
    }
    self.discovered = discovered
    url = ScrapeTarget.url(address, relabelled, settings)
    labels = Labels(relabelled.filter { !$0.name.hasPrefix("__") })
    if labels["instance"] == nil { labels["instance"] = address }
  }

  private static func duration(
    _ text: String, _ what: String
  ) throws(ScrapeFailure) -> Duration {
    guard let duration = ScrapeSettings.duration(text) else {
      throw ScrapeFailure("has \"\(text)\" as its \(what): write a duration such as 30s")
    }
    return duration
  }

  private static func url(
    _ address: String, _ labels: Labels, _ settings: ScrapeSettings
  ) -> String {
    var parameters = settings.parameters
    for label in labels where label.name.hasPrefix("__param_") {
      let name = String(label.name.dropFirst("__param_".count))
      parameters[name] = [label.value] + (parameters[name] ?? []).dropFirst()
    }
    let query = parameters.sorted { $0.key < $1.key }.flatMap { name, values in
      values.map { "\(escaped(name))=\(escaped($0))" }
    }
    let path = labels["__metrics_path__"] ?? "/"
    let start = "\(labels["__scheme__"] ?? "http")://\(address)\(path.hasPrefix("/") ? "" : "/")"
    return start + path + (query.isEmpty ? "" : "?" + query.joined(separator: "&"))
  }

  /// Percent-encoding of everything that is not unreserved (RFC 3986, 2.3).
  private static func escaped(_ text: String) -> String {
    let digits = Array("0123456789ABCDEF".utf8)
    var result: [UInt8] = []
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."),
        UInt8(ascii: "_"), UInt8(ascii: "~"):
        result.append(byte)
      default:
        result += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
      }
    }
    return String(decoding: result, as: UTF8.self)
  }

  /// A place within the interval of its own, the same after every restart.
  var offset: Duration {
    let hash = (url + "\(labels)").utf8.reduce(UInt64(14_695_981_039_346_656_037)) {
      ($0 ^ UInt64($1)) &* 1_099_511_628_211
    }
    return .milliseconds(Int64(hash % UInt64(max(settings.interval.milliseconds, 1))))
  }
}

/// What is known of a target, for the API.
public struct ScrapeTargetStatus: Hashable, Sendable {
  public enum Health: String, Hashable, Sendable {
    case up
    case down
    /// Not scraped yet.
    case unknown
  }

  public var job: String
  public var url: String
  /// Before relabelling.
  public var discoveredLabels: Labels
  public var labels: Labels
  public var health: Health
  public var lastError: String
  /// nil before the first scrape.
  public var lastScrape: Timestamp?
  public var lastScrapeDuration: Duration
  public var interval: Duration
  public var timeout: Duration
  /// Dropped by relabelling: it is not scraped, and has discovered labels only.
  public var isDropped: Bool
}
