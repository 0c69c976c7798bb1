import LifeguardCore
import LifeguardHost
import Testing

/// Runs collectors by themselves, without a schedule, and gives what they found.
struct Collecting {
  struct Series: Hashable {
    var family: MetricFamily
    var labels: Labels
    var value: Double
  }

  private(set) var series: [Series] = []
  private(set) var failures: [String: CollectorError] = [:]

  /// Collects `rounds` times, a tick apart, and keeps the last round.
  init(
    _ registrations: [CollectorRegistration], root: FileSystemRoot = FileSystemRoot(),
    processes: ProcessWatch = ProcessWatch(), textfileDirectory: String = "/nonexistent",
    rounds: Int = 2
  ) {
    let context = CollectorContext(
      root: root, host: HostInfo(root: root.path("")), processes: processes,
      textfileDirectory: textfileDirectory)
    for registration in registrations {
      var known: [Int: StartedSeries] = [:]
      var collector = registration.make(context)
      var scrape = Scrape()
      for round in 1...rounds {
        var failure: CollectorError?
        do { try collector.collect(into: &scrape) } catch { failure = error }
        let (values, started, ended) = scrape.finish()
        for start in started { known[start.slot] = start }
        for slot in ended { known[slot] = nil }
        guard round == rounds else { continue }
        failures[registration.name] = failure
        if failure != nil { continue }
        for (slot, start) in known where !values[slot].isStaleMarker {
          series.append(
            Series(family: start.family, labels: start.labels, value: values[slot]))
        }
      }
    }
  }

  /// One collector of the registry over one root.
  init(_ name: String, root: FileSystemRoot, rounds: Int = 1) {
    self.init(
      CollectorRegistry.all(processes: ProcessWatch()).filter { $0.name == name }, root: root,
      rounds: rounds)
  }

  /// The value of a series, `nil` when there is none.
  func value(_ name: String, _ labels: Labels = Labels()) -> Double? {
    series.first { $0.family.name == name && $0.labels == labels }?.value
  }

  var families: Set<MetricFamily> { Set(series.map(\.family)) }

  /// In the text format, families and series sorted.
  var exposition: String {
    let grouped = Dictionary(grouping: series, by: \.family)
    let families = grouped.sorted { $0.key.name < $1.key.name }.map { family, series in
      ExposedFamily(
        family: family,
        series: series.sorted { $0.labels < $1.labels }
          .map { ExposedSeries(labels: $0.labels, value: $0.value) })
    }
    let bytes = ExpositionWriter.write(families, format: .prometheusText)
    return String(decoding: bytes, as: UTF8.self)
  }
}
