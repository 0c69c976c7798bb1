import LifeguardCore

extension LoadSession {
  /// `rule_files:`: names and patterns, relative to the file that holds them.
  func readRuleFiles(_ items: [Node]) {
    var seen: Set<String> = []
    for item in items {
      guard let text = item.scalar?.text, !item.isNull, !text.isEmpty else {
        log.error(item.location, "\"rule_files\" must hold file names, not \(item.description)")
        continue
      }
      let path = Paths.join(directory, text)
      guard Paths.hasWildcard(path) else {
        if seen.insert(path).inserted {
          readRuleFile(path, shown: shown(path, as: text), namedAt: item.location)
        }
        continue
      }
      let found = Paths.expand(path, files: loader.files)
      if found.isEmpty {
        log.warning(item.location, "no file matches \(quoted(text)) in \(printable(directory))")
      }
      for path in found where seen.insert(path).inserted {
        readRuleFile(path, shown: shown(path, as: text), namedAt: item.location)
      }
    }
  }

  /// As short as a person can open it: relative when the name was.
  private func shown(_ path: String, as written: String) -> String {
    let base = loader.files.workingDirectory
    let prefix = base.hasSuffix("/") ? base : base + "/"
    guard !written.hasPrefix("/"), path.hasPrefix(prefix) else { return path }
    return String(path.dropFirst(prefix.count))
  }

  /// One file in Prometheus' own format, read as strictly as Prometheus reads it.
  func readRuleFile(_ path: String, shown: String, namedAt location: SourceLocation) {
    guard let bytes = readTrusted(path, namedAt: location) else { return }
    configuration.files.append(path)
    guard let document = YAMLParser.parse(bytes, file: shown, log: log), !document.isNull,
      let file = SectionReader(document, Schema.ruleFile, log: log)
    else { return }
    let context = RuleContext(section: Schema.fileRule, origin: .ruleFile, onNoData: .ok)
    configuration.ruleGroups += readGroups(file, file: path, context: context)
  }

  func readGroups(
    _ reader: SectionReader, file: String, context: RuleContext
  ) -> [RuleGroup] {
    var names: [String: SourceLocation] = [:]
    return reader.list("groups", of: "rule groups").compactMap { item in
      guard let group = SectionReader(item, Schema.ruleGroup, log: log) else { return nil }
      guard group.required("name", such: "name: my-rules") != nil, let name = group.word("name")
      else { return nil }
      let location = group.location(of: "name")
      if let first = names[name] {
        log.error(
          location,
          "group name \(quoted(name)) is repeated in the same file; the first is on line"
            + " \(first.line)")
      } else {
        names[name] = location
      }
      return readGroup(group, name: name, file: file, context: context)
    }
  }

  private func readGroup(
    _ group: SectionReader, name: String, file: String, context: RuleContext
  ) -> RuleGroup {
    var context = context
    context.groupLabels = group.entries("labels", of: "texts")
    let items = group.list("rules", of: "rules").filter { !$0.isNull }
    let rules = LoadSession.identified(
      items.compactMap { readRule($0, context) },
      in: "\(context.origin.rawValue)/\(file)/\(name)")
    warnOfTwins(items)
    // Zero is the same as none, as in Prometheus.
    let interval = group.duration("interval", minimum: .zero) ?? .zero
    return RuleGroup(
      name: name, file: file,
      interval: interval == .zero ? configuration.evaluationInterval : interval,
      limit: readLimit(group),
      queryOffset: group.duration("query_offset", minimum: .zero) ?? .zero, rules: rules)
  }

  /// Prometheus takes a limit below zero for none, and cuts off a fraction.
  private func readLimit(_ group: SectionReader) -> Int {
    guard let node = group["limit"] else { return 0 }
    guard let scalar = node.scalar, scalar.style == .plain, let number = Double(scalar.text),
      number.isFinite, abs(number) < 1e9
    else {
      group.wrong("limit", node, must: "a whole number")
      return 0
    }
    return max(0, Int(number))
  }

  /// Adds the default pack behind what the user wrote, so that the user's entries win.
  func addDefaultPack() {
    guard configuration.usesDefaultRules, let text = loader.defaultPack else { return }
    guard var pack = readPack(text) else { return }
    if configuration.zeroFile != nil {
      // The variables say what may run: their script, and nothing of the pack's.
      for name in pack.plans.keys { pack.plans[name]?.mode = .observe }
    }
    configuration.ruleGroups += pack.groups
    configuration.recoveries += pack.recoveries
    // A plan of the user's with the name of one of the pack's takes its place.
    configuration.plans.merge(pack.plans) { own, _ in own }
  }

  /// Reads a rule pack's text; nil when it is no rule pack, which is reported.
  func readPack(_ text: String) -> RulePack? {
    let file = "default rules"
    guard let document = YAMLParser.parse(Array(text.utf8), file: file, log: log),
      let reader = SectionReader(document, Schema.pack, log: log)
    else { return nil }
    let context = RuleContext(section: Schema.packRule, origin: .defaultPack, onNoData: .keep)
    let groups = readGroups(reader, file: file, context: context)
    var plans: [String: Plan] = [:]
    for entry in reader.entries("plans", of: "plans") {
      plans[entry.key] = readPlan(entry.value, name: entry.key)
    }
    let recoveries = reader.list("recoveries", of: "entries").compactMap {
      readRecovery($0, known: Set(plans.keys))
    }
    return RulePack(groups: groups, recoveries: recoveries, plans: plans)
  }
}
