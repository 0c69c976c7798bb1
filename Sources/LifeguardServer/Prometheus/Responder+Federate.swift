import HTTPTypes
import LifeguardAgent
import LifeguardConfiguration
import LifeguardCore

/// `/federate`: the newest sample of every series that is asked for (Prometheus, "Federation").
extension Responder {
  func federate(_ call: PrometheusCall) async throws(APIFailure) -> Reply {
    var selectors: [[Matcher]] = []
    do throws(APIFailure) {
      selectors = try call.selectors()
    } catch {
      return .text(.badRequest, error.message)
    }
    let writer = ExpositionWriter(
      format: ExpositionFormat(accept: call.accept), escaping: NameEscaping(accept: call.accept))
    let type = writer.format.contentType(NameEscaping(accept: call.accept))
    // Nothing asked for is nothing, not everything.
    if selectors.isEmpty {
      return Reply(.ok, type: type, ExpositionWriter.write([], format: writer.format))
    }
    let now = call.now
    let after = now - call.settings.lookback
    let memory = await agent.snapshot()
    let external = await agent.externalLabels
    let chosen = selectors
    let reply = await atDesk(call) { ticket throws(APIFailure) in
      var rows: [(labels: Labels, sample: Sample)] = []
      for labels in try memory.newest(
        chosen, after: after, through: now, { ticket.interruption })
      {
        rows.append(labels)
      }
      rows.sort {
        $0.labels.metric == $1.labels.metric
          ? $0.labels < $1.labels
          : $0.labels.metric.utf8.lexicographicallyPrecedes($1.labels.metric.utf8)
      }
      return Reply(.ok, type: type, Responder.exposition(rows, external, writer))
    }
    return reply
  }

  private static func exposition(
    _ rows: [(labels: Labels, sample: Sample)], _ external: Labels, _ empty: ExpositionWriter
  ) -> [UInt8] {
    var writer = empty
    var family: MetricFamily?
    for row in rows {
      let name = row.labels.metric
      // A series without a name has no form here.
      if name.isEmpty { continue }
      if family?.name != name {
        let next = MetricFamily(name: name, help: "", type: .untyped)
        family = next
        writer.begin(next)
      }
      guard let family else { continue }
      var labels = row.labels
      for label in external where labels[label.name] == nil { labels[label.name] = label.value }
      // An empty instance keeps a scraper from adding its own to what was aggregated.
      writer.append(
        row.sample.value, labels: labels, of: family, timestamp: row.sample.timestamp,
        emptyLabel: labels["instance"] == nil ? "instance" : nil)
    }
    writer.finish()
    return writer.bytes
  }
}

extension Snapshot {
  /// The newest samples within an interval of the series that match one of the selectors; series
  /// that have ended are left out.
  func newest(
    _ selectors: [[Matcher]], after: Timestamp, through: Timestamp,
    _ interruption: () -> QueryInterruption?
  ) throws(APIFailure) -> [(labels: Labels, sample: Sample)] {
    var found: [SeriesReference: Sample] = [:]
    do throws(SeriesSourceError) {
      for matchers in selectors {
        let references = try select(matchers, after: after, through: through)
        for (index, reference) in references.enumerated() where found[reference] == nil {
          if index & 0xFF == 0, interruption() != nil { break }
          let sample = lastSample(of: reference, after: after, through: through)
          if let sample, !sample.isStaleMarker { found[reference] = sample }
        }
      }
    } catch {
      throw APIFailure(.source(error))
    }
    if let why = interruption() { throw APIFailure(.interrupted(why)) }
    return found.map { (labels(of: $0.key), $0.value) }
  }
}
