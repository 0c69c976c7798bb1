import LifeguardCore

extension Schema {
  static let ruleTestFile = Section(
    "rule test file",
    "rule_files", "evaluation_interval", "group_eval_order", "fuzzy_compare", "tests")
  static let ruleTest = Section(
    "tests[]",
    "interval", "start_timestamp", "input_series", "name", "alert_rule_test", "promql_expr_test",
    "recoveries", "external_labels", "external_url")
  static let inputSeries = Section("input_series[]", "series", "values")
  static let alertRuleTest = Section(
    "alert_rule_test[]", "eval_time", "alertname", "exp_alerts")
  static let expectedAlert = Section("exp_alerts[]", "exp_labels", "exp_annotations")
  static let expressionTest = Section(
    "promql_expr_test[]", "expr", "eval_time", "exp_samples")
  static let expectedSample = Section("exp_samples[]", "labels", "value")
  static let recoveryTest = Section(
    "recoveries[]", "eval_time", "alertname", "labels", "plan", "mode")
}

extension ConfigurationLoader {
  /// Reads a file of rule tests in promtool's format with the rule files that it names.
  ///
  /// Nothing of it runs on this host, so its owner and mode do not matter.
  public func loadRuleTests(
    _ shown: String
  ) -> (file: RuleTestFile?, problems: [ConfigurationProblem]) {
    let path = Paths.join(files.workingDirectory, shown)
    let session = LoadSession(loader: self, directory: Paths.directory(of: path))
    let file = session.readRuleTests(path, shown: shown)
    return (session.log.hasErrors ? nil : file, session.log.sorted)
  }
}

extension LoadSession {
  func readRuleTests(_ path: String, shown: String) -> RuleTestFile? {
    let place = SourceLocation(file: shown, line: 1, column: 1)
    guard let bytes = readPlain(path, namedAt: place) else { return nil }
    // An empty file has no tests, and none that fails.
    guard let document = YAMLParser.parse(bytes, file: shown, log: log), !document.isNull,
      let reader = SectionReader(document, Schema.ruleTestFile, log: log)
    else { return RuleTestFile() }
    var file = RuleTestFile()
    if let interval = reader.duration("evaluation_interval", minimum: .zero), interval > .zero {
      file.evaluationInterval = interval
    }
    file.comparesLoosely = reader.bool("fuzzy_compare") ?? false
    file.groupOrder = reader.strings("group_eval_order", of: "group names") ?? []
    var seen: Set<String> = []
    for name in file.groupOrder where !seen.insert(name).inserted {
      log.error(
        reader.location(of: "group_eval_order"),
        "group name repeated in evaluation order: \(printable(name))")
    }
    file.groups = readRuleFiles(namedIn: reader)
    for node in reader.list("tests", of: "tests") {
      if let test = readRuleTest(node, file) { file.tests.append(test) }
    }
    return file
  }

  private func readPlain(_ path: String, namedAt location: SourceLocation) -> [UInt8]? {
    switch loader.files.read(path, YAMLParser.bytesMax) {
    case .success(let bytes): return bytes
    case .failure(let failure):
      log.error(location, "\(printable(path)) \(failure.reason)")
      return nil
    }
  }

  /// As promtool: a name that no file matches is worth a warning only.
  private func readRuleFiles(namedIn reader: SectionReader) -> [RuleGroup] {
    var groups: [RuleGroup] = []
    for item in reader.list("rule_files", of: "file names") {
      guard let name = item.scalar?.text, !item.isNull, !name.isEmpty else {
        log.error(item.location, "\"rule_files\" must hold file names, not \(item.description)")
        continue
      }
      let path = Paths.join(directory, name)
      var found = Paths.hasWildcard(path) ? Paths.expand(path, files: loader.files) : [path]
      found.removeAll { loader.files.status($0) == nil }
      if found.isEmpty { log.warning(item.location, "no file matches \(quoted(name))") }
      for path in found {
        guard let bytes = readPlain(path, namedAt: item.location),
          let document = YAMLParser.parse(bytes, file: path, log: log), !document.isNull,
          let file = SectionReader(document, Schema.ruleFile, log: log)
        else { continue }
        let context = RuleContext(section: Schema.fileRule, origin: .ruleFile, onNoData: .ok)
        groups += readGroups(file, file: path, context: context)
      }
    }
    return groups
  }

  private func readRuleTest(_ node: Node, _ file: RuleTestFile) -> RuleTest? {
    guard let reader = SectionReader(node, Schema.ruleTest, log: log) else { return nil }
    var test = RuleTest(interval: file.evaluationInterval)
    if let interval = reader.duration("interval", minimum: .zero), interval > .zero {
      test.interval = interval
    }
    test.name = reader.string("name") ?? ""
    test.externalURL = reader.string("external_url") ?? ""
    test.start = readStart(reader)
    for (name, value) in readTexts("external_labels", reader) {
      test.externalLabels[name] = value
    }
    test.series = reader.list("input_series", of: "series").compactMap(readSeries)
    test.alerts = reader.list("alert_rule_test", of: "expectations").compactMap(readAlerts)
    test.expressions = reader.list("promql_expr_test", of: "expectations")
      .compactMap(readExpression)
    test.recoveries = reader.list("recoveries", of: "expectations").compactMap(readRecoveryTest)
    return test
  }

  /// Seconds since the epoch, or RFC 3339.
  private func readStart(_ reader: SectionReader) -> Timestamp {
    let zero = Timestamp(milliseconds: 0)
    guard let node = reader["start_timestamp"] else { return zero }
    if let text = node.scalar?.text {
      if let seconds = Double(text), seconds.magnitude < 1e12 { return Timestamp(seconds: seconds) }
      if let time = Timestamp(text) { return time }
    }
    reader.wrong(
      "start_timestamp", node, must: "seconds since 1970 or a time such as 2026-01-02T03:04:05Z")
    return zero
  }

  private func readSeries(_ node: Node) -> SeriesDescription? {
    guard let reader = SectionReader(node, Schema.inputSeries, log: log) else { return nil }
    do throws(SeriesDescriptionError) {
      return try SeriesDescription(
        series: reader.string("series") ?? "", values: reader.string("values") ?? "")
    } catch {
      log.error(node.location, printable(error.message))
      return nil
    }
  }

  private func readTime(_ reader: SectionReader) -> Duration {
    reader.duration("eval_time", minimum: .zero) ?? .zero
  }

  private func readTexts(_ key: String, _ reader: SectionReader) -> [String: String] {
    var texts: [String: String] = [:]
    for entry in reader.entries(key, of: "texts") {
      guard let scalar = entry.value.scalar else {
        log.error(
          entry.value.location,
          "\(quoted(entry.key)) under \(quoted(key)) must be a text, not"
            + " \(entry.value.description)")
        continue
      }
      texts[entry.key] = entry.value.isNull ? "" : scalar.text
    }
    return texts
  }

  private func readAlerts(_ node: Node) -> RuleTest.AlertExpectation? {
    guard let reader = SectionReader(node, Schema.alertRuleTest, log: log) else { return nil }
    let alerts = reader.list("exp_alerts", of: "alerts").compactMap {
      item -> RuleTest.ExpectedAlert? in
      guard let alert = SectionReader(item, Schema.expectedAlert, log: log) else { return nil }
      return RuleTest.ExpectedAlert(
        labels: readTexts("exp_labels", alert), annotations: readTexts("exp_annotations", alert))
    }
    return RuleTest.AlertExpectation(
      time: readTime(reader), alertName: reader.string("alertname") ?? "", alerts: alerts)
  }

  private func readExpression(_ node: Node) -> RuleTest.ExpressionExpectation? {
    guard let reader = SectionReader(node, Schema.expressionTest, log: log) else { return nil }
    let samples = reader.list("exp_samples", of: "samples").compactMap {
      item -> (labels: String, value: Double)? in
      guard let sample = SectionReader(item, Schema.expectedSample, log: log) else { return nil }
      return (sample.string("labels") ?? "", readNumber("value", sample))
    }
    return RuleTest.ExpressionExpectation(
      time: readTime(reader), expression: reader.string("expr") ?? "", samples: samples)
  }

  /// A number as YAML writes them: `.inf` and `.nan`, where PromQL has `Inf` and `NaN`.
  private func readNumber(_ key: String, _ reader: SectionReader) -> Double {
    guard let node = reader[key] else { return 0 }
    if let scalar = node.scalar, scalar.style == .plain {
      switch scalar.text.lowercased() {
      case ".inf", "+.inf": return .infinity
      case "-.inf": return -.infinity
      case ".nan": return .nan
      case let text:
        let plain = text.filter { $0 != "_" }
        if let number = Double(plain.hasPrefix(".") ? "0" + plain : plain), number.isFinite {
          return number
        }
      }
    }
    reader.wrong(key, node, must: "a number such as 1.5, or .inf or .nan")
    return 0
  }

  private func readRecoveryTest(_ node: Node) -> RuleTest.RecoveryExpectation? {
    guard let reader = SectionReader(node, Schema.recoveryTest, log: log),
      reader.required("alertname", such: "alertname: my-alert") != nil,
      reader.required("plan", such: "plan: the plan's name, or none") != nil,
      let name = reader.word("alertname"), let plan = reader.word("plan")
    else { return nil }
    return RuleTest.RecoveryExpectation(
      time: readTime(reader), alertName: name, labels: readTexts("labels", reader),
      plan: plan == "none" ? nil : plan, mode: reader.mode())
  }
}
