import AsyncHTTPClient
import LifeguardConfiguration
import LifeguardCore
import NIOCore
import NIOHTTP1

/// Scrapes one target for as long as it is wanted: fetch, read, store, report.
struct ScrapeLoop {
  /// Samples stored in one job of the agent's thread.
  private static let slice = 1000

  private let target: ScrapeTarget
  private let agent: Agent
  private let client: HTTPClient
  private let registry: ScrapeRegistry
  private var cache: ScrapeCache

  init(_ target: ScrapeTarget, agent: Agent, client: HTTPClient, registry: ScrapeRegistry) {
    self.target = target
    self.agent = agent
    self.client = client
    self.registry = registry
    cache = ScrapeCache(target)
  }

  /// Runs until the task is cancelled or a reload has removed the target, which ends its series.
  mutating func run() async {
    let clock = ContinuousClock()
    let interval = target.settings.interval
    var next = clock.now + firstWait
    while !Task.isCancelled {
      // In steps, so that a target that is no longer wanted ends within a second.
      while clock.now < next, registry.isWanted(target), !Task.isCancelled {
        // Cancellation ends the loop.
        try? await clock.sleep(
          until: min(next, clock.now + .seconds(1)), tolerance: .milliseconds(5))
      }
      if Task.isCancelled { return }
      guard registry.isWanted(target) else { break }
      await scrape(clock)
      next += interval
      // What was missed is not made up for.
      while next < clock.now { next += interval }
    }
    if Task.isCancelled { return }
    let now = agent.parts.clock().wall
    var markers = cache.fail(at: now)
    markers += reports(at: now, Array(repeating: .staleMarker, count: Self.reportNames.count))
    await store(markers)
  }

  /// Until this target's place in the interval comes round.
  private var firstWait: Duration {
    let interval = max(target.settings.interval.milliseconds, 1)
    let now = agent.parts.clock().wall.milliseconds
    let into = now % interval
    let wait = (target.offset.milliseconds - into + interval) % interval
    return .milliseconds(wait)
  }

  private mutating func scrape(_ clock: ContinuousClock) async {
    let began = clock.now
    let time = agent.parts.clock().wall
    var content = ScrapeCache.Content()
    var problem: String?
    do throws(ScrapeFailure) {
      let (body, format) = try await fetch()
      content = try cache.read(body, format, at: time)
    } catch {
      if Task.isCancelled { return }
      content.samples = cache.fail(at: time)
      problem = error.description
    }
    let took = began.duration(to: clock.now)
    await store(content.samples)
    let figures = [
      problem == nil ? 1 : 0, took.seconds, Double(content.scraped), Double(content.kept),
      Double(content.added),
    ]
    await store(reports(at: time, figures))
    if !content.families.isEmpty, content.added > 0 { await agent.describe(content.families) }
    registry.note(target, at: time, took: took, error: problem)
  }

  // MARK: Storing

  private static let reportNames = [
    "up", "scrape_duration_seconds", "scrape_samples_scraped",
    "scrape_samples_post_metric_relabeling", "scrape_series_added",
  ]

  /// The series that Prometheus adds for every scrape.
  private func reports(at time: Timestamp, _ values: [Double]) -> [ScrapeCache.Pending] {
    zip(Self.reportNames, values).map { name, value in
      var labels = target.labels
      labels[Labels.metricName] = name
      return ScrapeCache.Pending(
        entry: nil, labels: labels, reference: nil, sample: Sample(timestamp: time, value: value))
    }
  }

  private mutating func store(_ samples: [ScrapeCache.Pending]) async {
    var start = 0
    while start < samples.count {
      let end = min(start + Self.slice, samples.count)
      let part = samples[start..<end]
      let references = await agent.append(part, interval: target.settings.interval)
      cache.note(references, of: part)
      start = end
    }
  }

  // MARK: Fetching

  /// As Prometheus asks; the time limit covers the whole answer.
  private func fetch() async throws(ScrapeFailure) -> ([UInt8], ExpositionFormat) {
    var request = HTTPClientRequest(url: target.url)
    target.settings.access.authorize(&request.headers)
    request.headers.add(
      name: "Accept",
      value: "application/openmetrics-text;version=1.0.0,"
        + "application/openmetrics-text;version=0.0.1;q=0.75,"
        + "text/plain;version=0.0.4;q=0.5,*/*;q=0.1")
    request.headers.add(name: "Accept-Encoding", value: "gzip")
    request.headers.add(name: "User-Agent", value: "lifeguard")
    request.headers.add(
      name: "X-Prometheus-Scrape-Timeout-Seconds", value: "\(target.settings.timeout.seconds)")
    let limit = target.settings.bodyBytesMax
    do {
      let response = try await client.execute(
        request, timeout: .milliseconds(max(target.settings.timeout.milliseconds, 1)))
      guard response.status == .ok else {
        throw ScrapeFailure(
          "server returned HTTP status \(response.status.code) \(response.status.reasonPhrase)")
      }
      let format = try format(response.headers.first(name: "Content-Type"))
      let buffer = try await response.body.collect(upTo: limit)
      var body = Array(buffer.readableBytesView)
      if response.headers.first(name: "Content-Encoding")?.lowercased() == "gzip" {
        body = try Gunzip.decompress(body, limit: limit)
      }
      return (body, format)
    } catch let error as ScrapeFailure {
      throw error
    } catch let error as Gunzip.Failure {
      throw ScrapeFailure(error.description)
    } catch is NIOTooManyBytesError {
      throw ScrapeFailure("body size limit exceeded: more than \(limit) bytes")
    } catch let error as HTTPClientError where error == .deadlineExceeded {
      throw ScrapeFailure("context deadline exceeded: no answer in \(target.settings.timeout.text)")
    } catch let error as HTTPClientError {
      throw ScrapeFailure("cannot be reached: \(error.shortDescription)")
    } catch {
      throw ScrapeFailure("cannot be reached: \(TextEscape.line(String("\(error)".prefix(160))))")
    }
  }

  /// Prometheus v3 refuses an answer that does not say what it is.
  private func format(_ contentType: String?) throws(ScrapeFailure) -> ExpositionFormat {
    let type = (contentType ?? "").prefix { $0 != ";" }.filter { $0 != " " }.lowercased()
    switch type {
    case "application/openmetrics-text": return .openMetrics
    case "text/plain": return .prometheusText
    default:
      if let fallback = target.settings.fallback { return fallback }
      let shown = type.isEmpty ? "blank Content-Type" : "unsupported Content-Type \"\(type)\""
      throw ScrapeFailure(
        "non-compliant scrape target sending \(shown) and no fallback_scrape_protocol specified"
          + " for target")
    }
  }
}
