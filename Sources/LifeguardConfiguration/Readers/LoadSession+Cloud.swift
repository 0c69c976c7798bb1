import LifeguardCore

/// `aws:`.
extension LoadSession {
  /// More would be paid for by accident.
  private static let metricsMax = 100
  private static let setsMax = 8
  private static let perMax = 4
  /// Data that wait for one upload, in resolutions; the publisher keeps room for a few more.
  private static let periodsMax = 100

  func readCloud(_ node: Node) {
    guard let reader = SectionReader(node, Schema.aws, log: log) else { return }
    guard !loader.isFunction else {
      log.error(
        node.location,
        "\"aws\" is for an agent on a server; CloudWatch keeps a function's own metrics, remove it")
      return
    }
    var settings = CloudSettings()
    if reader.has("cloudwatch") { settings.cloudWatch = readCloudWatch(reader) }
    if reader.has("logs") { settings.logs = readCloudLogs(reader) }
    if settings.logs?.format == .emf, settings.cloudWatch != nil {
      log.error(
        reader.location(of: "logs"),
        "\"format: emf\" makes metrics of the lines that \"cloudwatch\" publishes as well, so that"
          + " every value counts twice; write format: json, or remove \"cloudwatch\"")
    }
    readTermination(reader, &settings.termination)
    configuration.aws = settings
  }

  private func readCloudWatch(_ parent: SectionReader) -> CloudWatchSettings {
    var settings = CloudWatchSettings()
    guard let node = parent["cloudwatch"],
      let reader = SectionReader(node, Schema.cloudWatch, log: log)
    else { return settings }
    if let name = reader.word("namespace"), isNamespace(name, reader) { settings.namespace = name }
    if let resolution = reader.duration("resolution", maximum: .seconds(3600)) {
      checkResolution(resolution, reader)
      settings.resolution = resolution
      settings.sendEvery = max(.seconds(60), resolution)
    }
    if let every = reader.duration("send_every", minimum: .seconds(1), maximum: .seconds(3600)) {
      settings.sendEvery = every
    }
    let longest = settings.resolution * LoadSession.periodsMax
    if settings.sendEvery > longest {
      log.error(
        reader.location(of: "send_every"),
        "\"send_every\" must be at most \(DurationFormat.text(longest)), a hundred times the"
          + " resolution, not \(DurationFormat.text(settings.sendEvery))")
    }
    if reader.has("metrics") { settings.metrics = readCloudMetrics(reader) }
    if reader.has("dimensions") { settings.dimensions = readDimensionSets(reader) }
    if let count = reader.integer("spool", in: 100...100_000) { settings.spoolMax = count }
    return settings
  }

  /// As CloudWatch takes it (API_PutMetricData); what begins with `AWS/` is its own.
  private func isNamespace(_ name: String, _ reader: SectionReader) -> Bool {
    let isPlain = name.allSatisfy {
      $0.isASCII && ($0.isLetter || $0.isNumber || " ._/#:-".contains($0))
    }
    guard isPlain, name.utf8.count <= 255, !name.hasPrefix("AWS/"), !name.hasPrefix(":") else {
      log.error(
        reader.location(of: "namespace"),
        "\(quoted(name)) is not a namespace: up to 255 letters, digits, blanks and ._/#:- that do"
          + " not begin with AWS/; write Lifeguard")
      return false
    }
    return true
  }

  private func checkResolution(_ resolution: Duration, _ reader: SectionReader) {
    let high: [Duration] = [.seconds(1), .seconds(5), .seconds(10), .seconds(30)]
    let isMinutes = resolution.milliseconds % 60_000 == 0
    guard !high.contains(resolution), !isMinutes else { return }
    log.error(
      reader.location(of: "resolution"),
      "\"resolution\" must be 1s, 5s, 10s, 30s or whole minutes, not"
        + " \(DurationFormat.text(resolution)); alarms look at no other periods")
  }

  private func readCloudMetrics(_ reader: SectionReader) -> [CloudMetric] {
    let items = reader.list("metrics", of: "metrics")
    var metrics: [CloudMetric] = []
    var names: Set<String> = []
    for item in items {
      guard let metric = readCloudMetric(item) else { continue }
      if !names.insert(metric.name).inserted {
        log.error(
          item.location,
          "two metrics are named \(quoted(metric.name)); give one of them another name")
      }
      metrics.append(metric)
    }
    if items.count > LoadSession.metricsMax {
      log.error(
        reader.location(of: "metrics"),
        "\"metrics\" has \(items.count) entries (limit \(LoadSession.metricsMax)); each is paid"
          + " for by the month")
    }
    if items.isEmpty, reader["metrics"]?.items != nil {
      log.error(
        reader.location(of: "metrics"),
        "\"metrics\" is empty; name one, such as CPUUtilization, or remove \"cloudwatch\"")
    }
    return metrics
  }

  private func readCloudMetric(_ item: Node) -> CloudMetric? {
    if let text = item.scalar?.text, !item.isNull {
      return isMetricName(text, at: item.location) ? CloudMetric(named: text) : nil
    }
    guard let reader = SectionReader(item, Schema.cloudMetric, log: log),
      reader.required("series", such: "series: node_load1") != nil,
      let series = reader.word("series"), isMetricName(series, at: reader.location(of: "series"))
    else { return nil }
    var metric = CloudMetric(series, unit: CloudMetric(named: series).unit)
    if let name = reader.word("name") {
      if name.utf8.count > 255 || !name.allSatisfy(\.isASCII) {
        log.error(
          reader.location(of: "name"),
          "\"name\" must be at most 255 ASCII characters, not \(quoted(name))")
      }
      metric.name = name
    }
    metric.unit = reader.choice("unit", CloudMetric.allUnits.map { ($0, $0) }) ?? metric.unit
    metric.fold =
      reader.choice("fold", CloudMetric.Fold.allCases.map { ($0.rawValue, $0) }) ?? .max
    metric.per = reader.strings("per", of: "labels") ?? []
    if metric.per.count > LoadSession.perMax || Set(metric.per).count < metric.per.count {
      log.error(
        reader.location(of: "per"),
        "\"per\" must be at most \(LoadSession.perMax) labels, each once")
    }
    return metric
  }

  private func isMetricName(_ name: String, at location: SourceLocation) -> Bool {
    let isPlain = name.utf8.enumerated().allSatisfy { index, byte in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "_"), UInt8(ascii: ":"):
        true
      case UInt8(ascii: "0")...UInt8(ascii: "9"): index > 0
      default: false
      }
    }
    guard isPlain, !name.isEmpty else {
      log.error(location, "\(quoted(name)) is not the name of a metric; write CPUUtilization")
      return false
    }
    return true
  }

  private func readDimensionSets(_ reader: SectionReader) -> [[String]] {
    let items = reader.list("dimensions", of: "lists such as [InstanceId]")
    let sets = items.compactMap { item -> [String]? in
      guard let names = item.items?.compactMap({ $0.scalar?.text }), !names.isEmpty else {
        log.error(
          item.location,
          "\"dimensions\" must hold lists such as [InstanceId], not \(item.description)")
        return nil
      }
      for name in names { checkDimension(name, at: item.location) }
      return names
    }
    if !(1...LoadSession.setsMax).contains(items.count), reader["dimensions"]?.items != nil {
      log.error(
        reader.location(of: "dimensions"),
        "\"dimensions\" must hold 1 to \(LoadSession.setsMax) lists, not \(items.count); each makes"
          + " every metric one more to pay for")
    }
    return sets
  }

  private func checkDimension(_ name: String, at location: SourceLocation) {
    let known = ["InstanceId", "AutoScalingGroupName", "ImageId", "InstanceType"]
    if known.contains(name) || (name.hasPrefix("tag:") && name.utf8.count > 4) { return }
    log.error(
      location,
      "unknown dimension \(quoted(name))"
        + suggestion(for: name, among: known + ["tag:NAME"], listing: "there are"))
  }

  private func readCloudLogs(_ parent: SectionReader) -> CloudLogSettings {
    var settings = CloudLogSettings()
    guard let node = parent["logs"], let reader = SectionReader(node, Schema.cloudLogs, log: log)
    else { return settings }
    if let group = reader.word("group") {
      settings.group = group
      checkLogGroup(group, reader)
    }
    if let stream = reader.string("stream"), !stream.isEmpty {
      settings.stream = stream
      if stream.contains(":") || stream.contains("*") || stream.utf8.count > 512 {
        log.error(
          reader.location(of: "stream"),
          "\(quoted(stream)) is not the name of a log stream: at most 512 characters without : and"
            + " *")
      }
    }
    settings.format =
      reader.choice("format", CloudLogSettings.Format.allCases.map { ($0.rawValue, $0) }) ?? .json
    if let every = reader.duration("every", minimum: .seconds(1), maximum: .seconds(3600)) {
      settings.every = every
      if every.milliseconds % 1000 != 0 {
        log.error(reader.location(of: "every"), "\"every\" must be whole seconds")
      }
    }
    return settings
  }

  /// API_CreateLogGroup.
  private func checkLogGroup(_ name: String, _ reader: SectionReader) {
    let isPlain = name.allSatisfy {
      $0.isASCII && ($0.isLetter || $0.isNumber || "_-/.#".contains($0))
    }
    guard !isPlain || name.utf8.count > 512 else { return }
    log.error(
      reader.location(of: "group"),
      "\(quoted(name)) is not the name of a log group: at most 512 letters, digits and _-/.#")
  }

  /// The notice becomes an alert like any other, so that people are told and a plan may answer it.
  private func readTermination(_ parent: SectionReader, _ settings: inout TerminationSettings) {
    if let node = parent["termination"],
      let reader = SectionReader(node, Schema.termination, log: log)
    {
      settings.watches = reader.bool("watch") ?? true
      if let plan = reader.word("plan") {
        settings.plan = plan
        planUses.append(
          PlanUse(plan: plan, location: reader.location(of: "plan"), namesService: false))
        if !settings.watches {
          log.error(
            reader.location(of: "plan"),
            "\"plan\" answers a notice that nobody waits for; write watch: true")
        }
      }
    }
    guard settings.watches, let rule = noticeRule(settings, parent.node.location) else { return }
    configuration.rules.append(rule)
  }

  private func noticeRule(
    _ settings: TerminationSettings, _ location: SourceLocation
  ) -> AlertRule? {
    let words = [
      "summary": "this machine is about to be taken away ({{ $labels.reason }})",
      "description":
        "AWS gave notice: spot capacity is taken back about two minutes after it, a group waits for"
        + " its lifecycle hooks.",
    ]
    do {
      var rule = AlertRule(
        name: "InstanceTermination",
        expression: try Query(parsing: "\(TerminationSettings.series) > 0"),
        labels: ["severity": try Template(parsing: "critical")],
        annotations: try words.mapValues { try Template(parsing: $0) },
        recovery: settings.plan.map { .plan($0) } ?? RecoveryChoice.none, location: location,
        id: "aws/InstanceTermination")
      rule.isNotice = true
      return rule
    } catch {
      // These texts are constants, and tests load them.
      return nil
    }
  }
}
