import LifeguardCore

extension LoadSession {
  /// Reads `lifeguard.yaml` and everything that it names.
  func readMainFile(_ path: String, shown: String) {
    let top = SourceLocation(file: shown, line: 1, column: 1)
    guard let bytes = readTrusted(path, namedAt: top) else { return }
    configuration.files.append(path)
    configuration.places[Configuration.mainFile] = top
    guard let document = YAMLParser.parse(bytes, file: shown, log: log) else { return }
    guard let root = SectionReader(document, Schema.root, log: log) else { return }
    readBasics(root)
    if let node = root["guard_rails"] { readGuardRails(node) }
    if let node = root["collect"] { readCollect(node) }
    readHTTP(root)
    readRemoteWrite(root.list("remote_write", of: "entries with a url"))
    if let node = root["notify"] { readNotify(node) }
    readPlans(root.entries("plans", of: "plans"))
    readServices(root.list("services", of: "services"))
    readInlineRules(root.list("rules", of: "rules"), file: shown)
    // An empty one is meant, too: it listens for notices.
    if let node = root.node["aws"] { readCloud(node) }
    readRecoveries(root.list("recoveries", of: "entries with matchers and a plan"))
    readRuleFiles(root.list("rule_files", of: "file names"))
  }

  private func readBasics(_ root: SectionReader) {
    notePlaces(root)
    if let mode = root.mode() { configuration.mode = mode }
    // A tenth of a second is what collecting takes at worst; an hour is no watching any more.
    if let interval = root.duration(
      "interval", minimum: .milliseconds(100), maximum: .seconds(3600))
    {
      configuration.interval = interval
    }
    if let interval = root.duration("evaluation_interval", minimum: .milliseconds(100)) {
      configuration.evaluationInterval = interval
    }
    if let labels = root["external_labels"] {
      configuration.externalLabels = readLabels(labels, named: "external_labels", references: true)
    }
    if let directory = root.word("data_dir") {
      configuration.dataDirectory = Paths.join(self.directory, directory)
    }
    if let uses = root.bool("default_rules") { configuration.usesDefaultRules = uses }
  }

  /// The bytes of a file that decides what runs; nil when it cannot be read, which is reported.
  func readTrusted(_ path: String, namedAt location: SourceLocation) -> [UInt8]? {
    checkTrust(path, namedAt: location)
    switch loader.files.read(path, YAMLParser.bytesMax) {
    case .success(let bytes): return bytes
    case .failure(let failure):
      log.error(location, "\(printable(path)) \(failure.reason)")
      return nil
    }
  }

  /// Reports who else could change a file; each part of a path once.
  func checkTrust(
    _ path: String, namedAt location: SourceLocation?, alsoTrusted: UInt32? = nil
  ) {
    let trust = FileTrust(files: loader.files, user: loader.user, alsoTrusted: alsoTrusted)
    for problem in trust.problems(of: path) where untrusted.insert(problem).inserted {
      log.error(location, problem)
    }
  }

  private func readGuardRails(_ node: Node) {
    guard let reader = SectionReader(node, Schema.guardRails, log: log) else { return }
    var rails = configuration.guardRails
    func take<Value>(_ path: WritableKeyPath<GuardRailSettings, Value>, _ value: Value?) {
      if let value { rails[keyPath: path] = value }
    }
    take(\.cooldown, reader.duration("cooldown", minimum: .zero))
    take(\.cooldownCap, reader.duration("cooldown_cap"))
    take(\.cooldownHalving, reader.duration("cooldown_halving"))
    take(\.targetBudget, reader.usageLimit("target_budget"))
    take(\.actionBudget, reader.usageLimit("action_budget"))
    take(\.rebootBudget, reader.usageLimit("reboot_budget"))
    take(\.rebootDayBudget, reader.usageLimit("reboot_day_budget"))
    take(\.breakerPasses, reader.integer("breaker_passes", in: 1...100))
    take(\.breakerOpen, reader.duration("breaker_open"))
    take(\.breakerOpenCap, reader.duration("breaker_open_cap"))
    take(\.positionKept, reader.duration("position_kept", minimum: .zero))
    take(\.minimumUptime, reader.duration("minimum_uptime", minimum: .zero))
    take(\.minimumFreeBytes, reader.bytes("minimum_free_bytes", minimum: 0))
    take(\.targetsMax, reader.integer("targets_max", in: 1...100))
    take(\.pressureSome, reader.percent("pressure_some"))
    take(\.pressureFull, reader.percent("pressure_full"))
    take(\.pressureTimeoutFactor, reader.integer("pressure_timeout_factor", in: 1...100))
    take(\.approvalExpiry, reader.duration("approval_expiry", minimum: .seconds(1)))
    take(\.startupEvaluations, reader.integer("startup_evaluations", in: 0...1000))
    for (base, cap, low, high) in [
      ("cooldown", "cooldown_cap", rails.cooldown, rails.cooldownCap),
      ("breaker_open", "breaker_open_cap", rails.breakerOpen, rails.breakerOpenCap),
    ] where low > high {
      log.error(
        reader.location(of: reader.has(base) ? base : cap),
        "\(quoted(base)) is \(DurationFormat.text(low)), more than its cap of"
          + " \(DurationFormat.text(high)); raise \(quoted(cap))")
    }
    configuration.guardRails = rails
  }

  private func readCollect(_ node: Node) {
    guard let reader = SectionReader(node, Schema.collect, log: log) else { return }
    notePlaces(reader, in: "collect.")
    for item in reader.list("disabled", of: "collectors") {
      guard let name = item.scalar?.text else {
        log.error(item.location, "\"disabled\" must hold names of collectors")
        continue
      }
      checkCollector(name, at: item.location)
      configuration.collect.disabled.insert(name)
    }
    for entry in reader.entries("intervals", of: "durations") {
      checkCollector(entry.key, at: entry.keyLocation)
      let section = Schema.Section("collect.intervals", entry.key)
      let single = Node(value: .mapping([entry]), location: entry.keyLocation)
      guard let value = SectionReader(single, section, log: log) else { continue }
      guard let interval = value.duration(entry.key, minimum: .milliseconds(100)) else { continue }
      configuration.collect.intervals[entry.key] = interval
    }
    readProcessGroups(reader.list("process_groups", of: "groups with name and exe"))
    readScrape(reader.list("scrape", of: "entries with job and targets"))
    if let count = reader.integer("series_max", in: 100...1_000_000) {
      configuration.collect.seriesMax = count
    }
    if let retention = reader.duration("memory_retention", minimum: .seconds(60)) {
      configuration.collect.memoryRetention = retention
    }
    if let retention = reader.duration("disk_retention", minimum: .zero) {
      configuration.collect.diskRetention = retention
    }
    if let retention = reader.duration("minute_retention", minimum: .zero) {
      configuration.collect.minuteRetention = retention
    }
    if let retention = reader.duration("hour_retention", minimum: .zero) {
      configuration.collect.hourRetention = retention
    }
    if let bytes = reader.bytes("disk_max", minimum: 1 << 20) {
      configuration.collect.diskBytesMax = bytes
    }
  }

  private func checkCollector(_ name: String, at location: SourceLocation) {
    guard !loader.collectors.isEmpty, !loader.collectors.contains(name) else { return }
    log.error(
      location,
      "unknown collector \(quoted(name))"
        + suggestion(for: name, among: loader.collectors, listing: "there are"))
  }

  private func readProcessGroups(_ items: [Node]) {
    var names: [String: SourceLocation] = [:]
    for item in items {
      guard let reader = SectionReader(item, Schema.processGroup, log: log) else { continue }
      let name = reader.required("name", such: "name: workers") == nil ? nil : reader.word("name")
      let exe =
        reader.required("exe", such: "exe: /usr/bin/worker") == nil ? nil : reader.word("exe")
      guard let name, let exe else { continue }
      checkAbsolute(exe, key: "exe", at: reader.location(of: "exe"))
      if let first = names[name] {
        log.error(
          reader.location(of: "name"),
          "two process groups are named \(quoted(name)); the first is on line \(first.line)")
      }
      names[name] = reader.location(of: "name")
      configuration.collect.processGroups.append(
        ProcessGroup(name: name, executable: exe, user: reader.word("user")))
    }
  }

  func checkAbsolute(_ path: String, key: String, at location: SourceLocation) {
    guard !path.hasPrefix("/") else { return }
    log.error(location, "\(quoted(key)) must be an absolute path, not \(quoted(path))")
  }

  /// A mapping from label names to values.
  func readLabels(_ node: Node, named key: String, references: Bool = false) -> [String: String] {
    guard let entries = node.entries else {
      log.error(node.location, "\(quoted(key)) must be a mapping from names to texts")
      return [:]
    }
    var labels: [String: String] = [:]
    for entry in entries {
      checkLabelName(entry.key, at: entry.keyLocation)
      guard let scalar = entry.value.scalar else {
        log.error(
          entry.value.location,
          "label \(quoted(entry.key)) must be a text, not \(entry.value.description)")
        continue
      }
      let text = entry.value.isNull ? "" : scalar.text
      labels[entry.key] = references ? resolve(entry.value)?.value ?? text : text
    }
    return labels
  }

  /// As Prometheus v3: any text but the metric's own name; a warning for what older ones refuse.
  func checkLabelName(_ name: String, at location: SourceLocation) {
    guard !name.isEmpty, name != Labels.metricName else {
      log.error(location, "invalid label name \(quoted(name))")
      return
    }
    let isClassic = name.utf8.enumerated().allSatisfy { index, byte in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "_"):
        true
      case UInt8(ascii: "0")...UInt8(ascii: "9"): index > 0
      default: false
      }
    }
    guard !isClassic else { return }
    let plain = name.map { $0.isASCII && ($0.isLetter || $0.isNumber) ? String($0) : "_" }
    log.warning(
      location,
      "label name \(quoted(name)) is refused by Prometheus before v3 and by older receivers;"
        + " write \(quoted(plain.joined()))")
  }
}
