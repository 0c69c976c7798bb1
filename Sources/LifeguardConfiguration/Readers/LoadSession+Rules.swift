import LifeguardCore

extension LoadSession {
  /// Where a rule is written decides which keys it may carry and what its defaults are.
  struct RuleContext {
    var section: Schema.Section
    var origin: RuleOrigin
    /// What an alert does without data unless it says otherwise.
    var onNoData: NoDataPolicy
    /// Labels of the group, which a rule's own labels override.
    var groupLabels: [Node.Entry] = []
  }

  /// `rules:`: alerting rules with Lifeguard's own keys, and recording rules.
  func readInlineRules(_ items: [Node], file: String) {
    let context = RuleContext(section: Schema.rule, origin: .inline, onNoData: .keep)
    var recording: [RuleGroup.Rule] = []
    for item in items {
      switch readRule(item, context) {
      case .alert(let rule): configuration.rules.append(rule)
      case .recording(let rule): recording.append(.recording(rule))
      case nil: break
      }
    }
    let named = LoadSession.identified(configuration.rules.map { .alert($0) }, in: "inline")
    configuration.rules = named.compactMap { if case .alert(let rule) = $0 { rule } else { nil } }
    warnOfTwins(items)
    guard !recording.isEmpty else { return }
    configuration.ruleGroups.append(
      RuleGroup(name: "rules", file: file, interval: configuration.interval, rules: recording))
  }

  /// One rule, with the checks that Prometheus makes (model/rulefmt).
  func readRule(_ node: Node, _ context: RuleContext) -> RuleGroup.Rule? {
    guard let reader = SectionReader(node, context.section, log: log) else { return nil }
    let alert = reader.word("alert")
    let record = reader.word("record")
    guard (alert == nil) != (record == nil) else {
      log.error(
        node.location,
        alert == nil
          ? "a rule needs \"alert\" or \"record\"; write alert: NAME"
          : "a rule has either \"alert\" or \"record\", not both; make two rules of it")
      return nil
    }
    let expression = reader.required("expr", such: "expr: a PromQL expression")
      .flatMap { readQuery($0, key: "expr") }
    if let expression { checkType(of: expression, reader, context) }
    if let record { return readRecording(record, expression, reader, context) }
    guard let name = alert else { return nil }
    if context.origin == .inline, let node = reader["expr"] { checkThreshold(node) }
    let labels = readTemplates("labels", reader, base: context.groupLabels)
    let annotations = readTemplates("annotations", reader, base: [])
    let hold = reader.duration("for", minimum: .zero) ?? .zero
    let keep = reader.duration("keep_firing_for", minimum: .zero) ?? .zero
    guard let expression else { return nil }
    var rule = AlertRule(
      name: name, expression: expression, hold: hold, keepFiringFor: keep,
      onNoData: context.onNoData, labels: labels, annotations: annotations,
      origin: context.origin, location: reader.location(of: "alert"))
    readOwnKeys(reader, context, into: &rule)
    return .alert(rule)
  }

  /// A rule needs a vector or a number; Prometheus loads the others and fails at each evaluation.
  private func checkType(of query: Query, _ reader: SectionReader, _ context: RuleContext) {
    let found: String
    switch query.expression.type {
    case .scalar, .vector: return
    case .matrix: found = "a range of samples; write a function over it, such as avg_over_time(…)"
    case .string: found = "a text; write a condition, such as up == 0"
    }
    let message = "\"expr\" must give a vector or a number, and this is \(found)"
    if context.origin == .ruleFile {
      log.warning(reader.location(of: "expr"), message)
    } else {
      log.error(reader.location(of: "expr"), message)
    }
  }

  /// `clear`, `samples`, `on_no_data`, and inline besides `mode` and `recover`.
  private func readOwnKeys(
    _ reader: SectionReader, _ context: RuleContext, into rule: inout AlertRule
  ) {
    guard context.section.keys.contains("clear") else { return }
    if let clear = reader["clear"] { rule.clear = readQuery(clear, key: "clear") }
    rule.samples = readSamples(reader)
    if let policy = reader.choice("on_no_data", NoDataPolicy.allCases.map { ($0.rawValue, $0) }) {
      rule.onNoData = policy
    }
    guard context.section.keys.contains("recover") else { return }
    readAlarm(reader, into: &rule)
    rule.mode = reader.mode()
    let service = (reader["labels"]?["service"]).flatMap { $0.scalar?.text }
    rule.recovery = readRecover(
      reader, planName: "rule:\(rule.name)", target: service.map { "service:\($0)" },
      namesService: service != nil)
  }

  private func readRecording(
    _ name: String, _ expression: Query?, _ reader: SectionReader, _ context: RuleContext
  ) -> RuleGroup.Rule? {
    let location = reader.location(of: "record")
    if name.contains("{") || name.contains("}") {
      log.error(
        location, "invalid recording rule name \(quoted(name)): braces belong into \"expr\"")
    }
    let alertOnly = context.section.keys.filter {
      !["record", "alert", "expr", "labels"].contains($0)
    }
    for key in reader.written(alertOnly) where !reader.isEmptyValue(key) {
      log.error(
        reader.location(of: key), "a recording rule has no \(quoted(key)); remove it")
    }
    var labels: [String: String] = [:]
    for entry in context.groupLabels { labels[entry.key] = entry.value.scalar?.text }
    if let node = reader["labels"] {
      labels.merge(readLabels(node, named: "labels")) { _, own in own }
    }
    guard let expression else { return nil }
    return .recording(
      RecordingRule(name: name, expression: expression, labels: labels, location: location))
  }

  /// A PromQL expression; an error inside it is reported where it stands in the file.
  func readQuery(_ node: Node, key: String) -> Query? {
    guard let scalar = node.scalar else {
      log.error(
        node.location, "\(quoted(key)) must be a PromQL expression, not \(node.description)")
      return nil
    }
    guard !scalar.text.trimmed.isEmpty else {
      log.error(node.location, "\(quoted(key)) is empty; write a PromQL expression")
      return nil
    }
    do {
      return try Query(parsing: scalar.text)
    } catch {
      log.error(
        log.isFull
          ? node.location : scalar.location(line: error.line, column: error.column),
        "\(quoted(key)) is not valid PromQL: \(printable(error.message))")
      return nil
    }
  }

  /// `CPUUtilization > eighty` is valid PromQL that compares with a metric nobody has; a word of
  /// lower-case letters alone at the end is always a threshold that somebody forgot to fill in.
  private func checkThreshold(_ node: Node) {
    guard let scalar = node.scalar else { return }
    let text = scalar.text.trimmed
    let word = String(String(text.reversed().prefix { $0.isASCII && $0.isLowercase }).reversed())
    let before = text.dropLast(word.count).trimmed
    guard word.count >= 2, let last = before.last, "<>=".contains(last), !before.hasSuffix("=~"),
      !["up", "nan", "inf", "bool"].contains(word)
    else { return }
    log.error(
      node.location,
      "the threshold \(quoted(word)) is not a number; write \(printable(before)) 80, or give the"
        + " metric a selector: \(word){}")
  }

  /// `samples: 3 of 5`.
  private func readSamples(_ reader: SectionReader) -> SampleWindow? {
    guard let node = reader["samples"] else { return nil }
    let words = (node.scalar?.text ?? "").split(separator: " ")
    guard words.count == 3, words[1] == "of", let needed = Int(words[0]),
      let window = Int(words[2])
    else {
      reader.wrong("samples", node, must: "two numbers such as 3 of 5")
      return nil
    }
    guard (1...64).contains(window), (1...window).contains(needed) else {
      log.error(
        node.location,
        "\"samples\" must be 1 to 64 evaluations and no more breaches than evaluations, not"
          + " \(quoted(node.scalar?.text ?? ""))")
      return nil
    }
    return SampleWindow(needed: needed, window: window)
  }

  /// A mapping from names to templates; `base` holds values that the rule's own override.
  private func readTemplates(
    _ key: String, _ reader: SectionReader, base: [Node.Entry]
  ) -> [String: Template] {
    var templates: [String: Template] = [:]
    for entry in base + reader.entries(key, of: "texts") {
      if key == "labels" || entry.key != Labels.metricName {
        checkLabelName(entry.key, at: entry.keyLocation)
      }
      guard entry.value.scalar != nil else {
        log.error(
          entry.value.location,
          "\(quoted(entry.key)) under \(quoted(key)) must be a text, not"
            + " \(entry.value.description)")
        continue
      }
      if let template = readTemplate(entry.value, key: entry.key) {
        templates[entry.key] = template
      }
    }
    return templates
  }

  /// A text with `{{ … }}`; an error inside it is reported where it stands in the file.
  func readTemplate(_ node: Node, key: String, variables: [String] = []) -> Template? {
    guard let scalar = node.scalar else {
      log.error(node.location, "\(quoted(key)) must be a text, not \(node.description)")
      return nil
    }
    do {
      return try Template(parsing: node.isNull ? "" : scalar.text, variables: variables)
    } catch {
      log.error(
        log.isFull ? node.location : scalar.location(utf8Offset: error.offset),
        "\(quoted(key)) is not a valid template: \(printable(error.message))")
      return nil
    }
  }

  /// Gives every alerting rule the name under which its state is kept over a restart: it stays the
  /// same while rules of other names come and go.
  static func identified(_ rules: [RuleGroup.Rule], in place: String) -> [RuleGroup.Rule] {
    var counts: [String: Int] = [:]
    return rules.map { rule in
      guard case .alert(var alert) = rule else { return rule }
      let count = counts[alert.name, default: 0] + 1
      counts[alert.name] = count
      alert.id = "\(place)/\(alert.name)" + (count == 1 ? "" : "#\(count)")
      return .alert(alert)
    }
  }

  /// Two rules of one name with the same labels write over each other's alerts; Prometheus'
  /// checker points at them and loads them all the same.
  func warnOfTwins(_ items: [Node]) {
    var seen: [String: SourceLocation] = [:]
    for item in items {
      guard let name = (item["alert"] ?? item["record"])?.scalar?.text else { continue }
      let labels = (item["labels"]?.entries ?? [])
        .map { "\($0.key)=\(quoted($0.value.scalar?.text ?? ""))" }.sorted()
        .joined(separator: ", ")
      let identity = "\(item["alert"] == nil ? "record" : "alert") \(name){\(labels)}"
      if let first = seen[identity] {
        log.warning(
          item.location,
          "a second rule \(quoted(name)) with the same labels; the first is at"
            + " \(first.file):\(first.line)")
      } else {
        seen[identity] = item.location
      }
    }
  }
}
