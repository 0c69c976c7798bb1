import LifeguardCore

extension LoadSession {
  /// Targets in all: each has a connection and a loop of its own.
  private static let targetsMax = 1000

  /// `collect.scrape`.
  func readScrape(_ items: [Node]) {
    var jobs: [String: SourceLocation] = [:]
    for item in items {
      guard let reader = SectionReader(item, Schema.scrape, log: log),
        let settings = readScrapeJob(reader)
      else { continue }
      if let first = jobs[settings.job] {
        log.error(
          reader.location(of: "job"),
          "two scrape jobs are named \(quoted(settings.job)); the first is on line \(first.line)")
      }
      jobs[settings.job] = reader.location(of: "job")
      configuration.collect.scrape.append(settings)
    }
    let count = configuration.collect.scrape.reduce(0) { $0 + $1.targets.count }
    guard count > LoadSession.targetsMax, let first = items.first else { return }
    log.error(
      first.location,
      "\"scrape\" has \(count) targets (limit \(LoadSession.targetsMax)); scrape them elsewhere")
  }

  private func readScrapeJob(_ reader: SectionReader) -> ScrapeSettings? {
    let hasJob = reader.required("job", such: "job: postgres") != nil
    let hasTargets = reader.required("targets", such: "targets: ['127.0.0.1:9187']") != nil
    guard hasJob, hasTargets, let job = reader.word("job"),
      let targets = reader.strings("targets", of: "addresses")
    else { return nil }
    var settings = ScrapeSettings(job: job, targets: targets)
    for target in targets where target.contains("/") || target.isEmpty {
      log.error(
        reader.location(of: "targets"),
        "\(quoted(target)) is not a target; write host:port, and the rest of the URL under"
          + " \"scheme\" and \"metrics_path\"")
    }
    if let interval = reader.duration("interval", minimum: .milliseconds(100)) {
      settings.interval = interval
    }
    settings.timeout = min(settings.timeout, settings.interval)
    if let timeout = reader.duration("timeout", minimum: .milliseconds(10)) {
      settings.timeout = timeout
      if timeout > settings.interval {
        log.error(
          reader.location(of: "timeout"),
          "\"timeout\" is longer than the interval of \(DurationFormat.text(settings.interval));"
            + " a scrape must end before the next one")
      }
    }
    readRequest(reader, &settings)
    settings.access = readAccess(reader)
    settings.relabelling = readRelabelling("relabel_configs", reader)
    settings.metricRelabelling = readRelabelling("metric_relabel_configs", reader)
    readScrapeLimits(reader, &settings)
    return settings
  }

  private func readRequest(_ reader: SectionReader, _ settings: inout ScrapeSettings) {
    if let scheme = reader.choice("scheme", [("http", "http"), ("https", "https")]) {
      settings.scheme = scheme
    }
    if let path = reader.word("metrics_path") {
      settings.metricsPath = path.hasPrefix("/") ? path : "/" + path
    }
    for entry in reader.entries("params", of: "lists of texts") {
      let single = Node(value: .mapping([entry]), location: entry.keyLocation)
      let section = Schema.Section("collect.scrape[].params", entry.key)
      guard let one = SectionReader(single, section, log: log) else { continue }
      settings.parameters[entry.key] = one.strings(entry.key, of: "texts") ?? []
    }
    if let labels = reader["labels"] { settings.labels = readLabels(labels, named: "labels") }
    settings.honorsLabels = reader.bool("honor_labels") ?? false
    settings.honorsTimestamps = reader.bool("honor_timestamps") ?? true
    settings.fallback = reader.choice(
      "fallback_scrape_protocol",
      [
        ("PrometheusText0.0.4", .prometheusText), ("PrometheusText1.0.0", .prometheusText),
        ("OpenMetricsText0.0.1", .openMetrics), ("OpenMetricsText1.0.0", .openMetrics),
      ])
  }

  private func readScrapeLimits(_ reader: SectionReader, _ settings: inout ScrapeSettings) {
    func limit(_ key: String) -> Int? {
      // 0 is Prometheus' way to write no limit.
      reader.integer(key, in: 0...Int(Int32.max)).flatMap { $0 == 0 ? nil : $0 }
    }
    settings.sampleMax = limit("sample_limit")
    settings.labelMax = limit("label_limit")
    settings.labelNameBytesMax = limit("label_name_length_limit")
    settings.labelValueBytesMax = limit("label_value_length_limit")
    if let bytes = reader.bytes("body_size_limit", minimum: 1024) {
      settings.bodyBytesMax = Int(min(bytes, 1 << 30))
    }
  }
}
