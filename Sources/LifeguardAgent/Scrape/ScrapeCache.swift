import LifeguardConfiguration
import LifeguardCore

/// What is remembered of one target's series between scrapes, by how they are written: labels are
/// read, relabelled and looked up once, and what no longer comes is known to have ended.
struct ScrapeCache {
  /// A sample that is to be stored.
  struct Pending: Sendable {
    /// Its place in the cache; nil for a report of the scrape itself.
    var entry: Int?
    var labels: Labels
    var reference: SeriesReference?
    var sample: Sample
  }

  /// What one answer of a target amounts to.
  struct Content {
    var samples: [Pending] = []
    /// Sample lines of the answer.
    var scraped = 0
    /// Of those, the ones that metric relabelling left.
    var kept = 0
    var added = 0
    var families: [MetricFamily] = []
  }

  private struct Entry {
    var text: String
    /// nil when relabelling drops the series.
    var labels: Labels?
    var reference: SeriesReference?
    /// The number of the last scrape that had it.
    var seen = 0
    /// Whether its time is the target's own: such a series never ends by itself, as in Prometheus.
    var hasOwnTime = false
    /// Whether it has had a sample since its last staleness marker.
    var isLive = false
  }

  private let target: ScrapeTarget
  private var entries: [Entry] = []
  private var free: [Int] = []
  private var places: [String: Int] = [:]
  private var scrape = 0

  init(_ target: ScrapeTarget) {
    self.target = target
  }

  /// Reads an answer; nothing of it counts when any part is wrong.
  mutating func read(
    _ body: [UInt8], _ format: ExpositionFormat, at time: Timestamp
  ) throws(ScrapeFailure) -> Content {
    scrape += 1
    var content = Content()
    var parser = ExpositionParser(body, format: format)
    do throws(ExpositionError) {
      while let line = try parser.next() {
        content.scraped += 1
        try take(line, parser, time, &content)
        if let limit = target.settings.sampleMax, content.kept > limit {
          throw ExpositionError(line: 0, column: 0, message: "sample limit exceeded")
        }
      }
    } catch {
      throw ScrapeFailure(error.line == 0 ? error.message : "the answer is wrong at \(error)")
    }
    content.families = Array(parser.families.values)
    content.samples += ended(at: time)
    return content
  }

  /// The target gave nothing: staleness markers for everything that it had.
  mutating func fail(at time: Timestamp) -> [Pending] {
    scrape += 1
    return ended(at: time)
  }

  /// Takes the references that series got when they were stored.
  mutating func note(_ references: [SeriesReference?], of samples: ArraySlice<Pending>) {
    for (pending, reference) in zip(samples, references) {
      if let place = pending.entry { entries[place].reference = reference }
    }
  }

  private mutating func take(
    _ line: ExpositionParser.Line, _ parser: ExpositionParser, _ time: Timestamp,
    _ content: inout Content
  ) throws(ExpositionError) {
    let text = parser.text(of: line)
    let place: Int
    if let known = places[text] {
      place = known
    } else {
      let labels = try relabelled(parser.labels(of: line))
      place = free.popLast() ?? entries.count
      let entry = Entry(text: text, labels: labels)
      if place == entries.count { entries.append(entry) } else { entries[place] = entry }
      places[text] = place
      if labels != nil { content.added += 1 }
    }
    entries[place].seen = scrape
    guard let labels = entries[place].labels else { return }
    content.kept += 1
    let ownTime = target.settings.honorsTimestamps ? line.timestamp : nil
    entries[place].hasOwnTime = ownTime != nil
    entries[place].isLive = true
    content.samples.append(
      Pending(
        entry: place, labels: labels, reference: entries[place].reference,
        sample: Sample(timestamp: ownTime ?? time, value: line.value)))
  }

  /// The series of the last scrape that this one does not have.
  private mutating func ended(at time: Timestamp) -> [Pending] {
    var markers: [Pending] = []
    for place in entries.indices where entries[place].seen != scrape {
      let entry = entries[place]
      guard !entry.text.isEmpty else { continue }
      if entry.isLive, !entry.hasOwnTime, let labels = entry.labels {
        markers.append(
          Pending(
            entry: nil, labels: labels, reference: entry.reference,
            sample: Sample(timestamp: time, value: .staleMarker)))
      }
      places[entry.text] = nil
      entries[place] = Entry(text: "")
      free.append(place)
    }
    return markers
  }

  /// Source: Prometheus, `scrape/scrape.go`, `mutateSampleLabels`.
  private func relabelled(_ scraped: Labels) throws(ExpositionError) -> Labels? {
    let settings = target.settings
    var labels = scraped
    for label in target.labels {
      guard let own = scraped[label.name] else {
        labels[label.name] = label.value
        continue
      }
      if settings.honorsLabels { continue }
      var name = "exported_\(label.name)"
      while labels[name] != nil { name = "exported_\(name)" }
      labels[name] = own
      labels[label.name] = label.value
    }
    guard settings.metricRelabelling.apply(to: &labels) else { return nil }
    guard !labels.metric.isEmpty else {
      throw ExpositionError(line: 0, column: 0, message: "a series has no name after relabelling")
    }
    try check(labels)
    return labels
  }

  private func check(_ labels: Labels) throws(ExpositionError) {
    let settings = target.settings
    func refuse(_ what: String, _ limit: Int) -> ExpositionError {
      ExpositionError(
        line: 0, column: 0, message: "\(what) limit exceeded (limit: \(limit)), metric: \(labels)")
    }
    if let limit = settings.labelMax, labels.count > limit { throw refuse("label_limit", limit) }
    for label in labels {
      if let limit = settings.labelNameBytesMax, label.name.utf8.count > limit {
        throw refuse("label_name_length_limit", limit)
      }
      if let limit = settings.labelValueBytesMax, label.value.utf8.count > limit {
        throw refuse("label_value_length_limit", limit)
      }
    }
  }
}

/// Why a scrape gave nothing, in one sentence.
struct ScrapeFailure: Error, CustomStringConvertible {
  var description: String

  init(_ description: String) {
    self.description = description
  }
}
