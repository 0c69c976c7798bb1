import LifeguardCore

/// What is settled when an agent starts, and only the next start changes.
extension Configuration {
  /// Goes on with what the running agent was started with.
  ///
  /// - Parameter started: the configuration at the start.
  /// - Returns: a warning for every key that says something else now, where it stands.
  public mutating func goOn(as started: Configuration) -> [ConfigurationProblem] {
    let before = Dictionary(uniqueKeysWithValues: started.settled)
    let changed = settled.filter { before[$0.key] != $0.value }.map(\.key)
    interval = started.interval
    externalLabels = started.externalLabels
    dataDirectory = started.dataDirectory
    http.host = started.http.host
    http.port = started.http.port
    http.tlsCertificate = started.http.tlsCertificate
    http.tlsKey = started.http.tlsKey
    http.allowedHosts = started.http.allowedHosts
    http.query.concurrency = started.http.query.concurrency
    let scrape = collect.scrape
    let groups = collect.processGroups
    let memory = collect.memoryRetention
    collect = started.collect
    collect.scrape = scrape
    collect.processGroups = groups
    collect.memoryRetention = memory
    return changed.map { key in
      ConfigurationProblem(
        severity: .warning, location: place(of: key),
        message: "\(quoted(key)) takes effect at the next start; until then the agent goes on with"
          + " what it was started with")
    }
  }

  /// Where a key is written, else the beginning of the main file; nil without a file.
  public func place(of key: String) -> SourceLocation? {
    places[key] ?? places[Configuration.mainFile]
  }

  /// The place of the main file itself.
  static let mainFile = ""

  /// The keys in question, each with a text that tells two values apart.
  private var settled: [(key: String, value: String)] {
    func sorted(_ values: [String: some Any]) -> String {
      values.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: "\n")
    }
    return [
      ("interval", "\(interval)"), ("listen", "\(http.host) \(http.port)"),
      ("external_labels", sorted(externalLabels)), ("data_dir", dataDirectory ?? ""),
      ("http.tls", "\(http.tlsCertificate ?? "")\n\(http.tlsKey ?? "")"),
      ("http.allowed_hosts", http.allowedHosts.joined(separator: "\n")),
      ("http.query.concurrency", "\(http.query.concurrency)"),
      ("collect.disabled", collect.disabled.sorted().joined(separator: "\n")),
      ("collect.intervals", sorted(collect.intervals)),
      ("collect.series_max", "\(collect.seriesMax)"),
      ("collect.disk_retention", "\(collect.diskRetention)"),
      ("collect.minute_retention", "\(collect.minuteRetention)"),
      ("collect.hour_retention", "\(collect.hourRetention)"),
      ("collect.disk_max", "\(collect.diskBytesMax)"),
    ]
  }

  /// The same keys, by the mapping that they stand in.
  static let settledKeys: [String: [String]] = [
    "": ["interval", "listen", "external_labels", "data_dir"],
    "http.": ["tls", "allowed_hosts"], "http.query.": ["concurrency"],
    "collect.": [
      "disabled", "intervals", "series_max", "disk_retention", "minute_retention",
      "hour_retention", "disk_max",
    ],
  ]
}

extension LoadSession {
  /// Remembers where the keys stand that only a start looks at.
  func notePlaces(_ reader: SectionReader, in mapping: String = "") {
    for key in Configuration.settledKeys[mapping] ?? [] where reader.has(key) {
      configuration.places[mapping + key] = reader.location(of: key)
    }
  }
}
