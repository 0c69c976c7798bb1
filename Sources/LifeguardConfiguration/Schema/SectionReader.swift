import LifeguardCore

/// One mapping of a configuration, read key by key; whatever is wrong is reported where it stands.
struct SectionReader {
  let node: Node
  let section: Schema.Section
  let log: ProblemLog
  private let values: [String: Node]

  /// Reports every unknown key; nil when the node is not a mapping at all, which is reported too.
  ///
  /// Nothing written (`reload:`) reads as an empty mapping.
  init?(_ node: Node, _ section: Schema.Section, log: ProblemLog) {
    self.node = node
    self.section = section
    self.log = log
    guard let entries = node.isNull ? [] : node.entries else {
      log.error(
        node.location,
        "\(section.path) must be a mapping of \(section.keys.prefix(4).joined(separator: ", "))"
          + "\(section.keys.count > 4 ? ", …" : ""), not \(node.description)")
      return nil
    }
    var values: [String: Node] = [:]
    for entry in entries {
      guard section.keys.contains(entry.key) else {
        if section.path == Schema.fileRule.path, Schema.rule.keys.contains(entry.key) {
          log.error(
            entry.keyLocation,
            "\(quoted(entry.key)) is not a key of Prometheus' rule files; only rules written in"
              + " lifeguard.yaml carry it, and recoveries answers the alerts of a rule file")
          continue
        }
        log.error(
          entry.keyLocation,
          "unknown key \(quoted(entry.key)) in \(section.path)"
            + suggestion(for: entry.key, among: section.keys, listing: "known keys"))
        continue
      }
      values[entry.key] = entry.value
    }
    self.values = values
  }

  /// The value of a key; nil when it is absent or nothing is written behind it.
  subscript(key: String) -> Node? {
    precondition(section.keys.contains(key), "\(key) is not declared in \(section.path)")
    guard let value = values[key], !value.isNull else { return nil }
    return value
  }

  /// Whether the key is written, even with nothing behind it.
  func has(_ key: String) -> Bool { values[key] != nil }

  /// Whether what is written says nothing: an empty mapping, a duration of zero.
  func isEmptyValue(_ key: String) -> Bool {
    guard let node = self[key] else { return true }
    if let text = node.scalar?.text, case .success(.zero) = DurationFormat.parse(text) {
      return true
    }
    return node.entries?.isEmpty ?? false
  }

  func location(of key: String) -> SourceLocation { values[key]?.location ?? node.location }

  /// The keys among these that are written, in file order.
  func written(_ keys: [String]) -> [String] {
    (node.entries ?? []).map(\.key).filter { keys.contains($0) && values[$0] != nil }
  }

  /// A key that must be there.
  func required(_ key: String, such example: String) -> Node? {
    if let value = self[key] { return value }
    log.error(
      location(of: key), "\(quoted(key)) is missing in \(section.path); write \(example)")
    return nil
  }

  func wrong(_ key: String, _ value: Node, must: String) {
    log.error(value.location, "\(quoted(key)) must be \(must), not \(value.description)")
  }

  func string(_ key: String) -> String? {
    guard let value = self[key] else { return nil }
    guard let scalar = value.scalar else {
      wrong(key, value, must: "a text")
      return nil
    }
    return scalar.text
  }

  /// A text with something in it.
  func word(_ key: String) -> String? {
    guard let text = string(key) else { return nil }
    guard !text.trimmed.isEmpty else {
      log.error(location(of: key), "\(quoted(key)) is empty; write a value or remove the key")
      return nil
    }
    return text
  }

  func bool(_ key: String) -> Bool? {
    guard let value = self[key] else { return nil }
    switch value.scalar.map({ $0.style == .plain ? $0.text : "" }) {
    case "true", "True", "TRUE": return true
    case "false", "False", "FALSE": return false
    case let text?:
      let word = (value.scalar?.text ?? text).lowercased()
      let meant = ["yes", "on", "true", "1"].contains(word) ? "true" : "false"
      let advice = ["yes", "on", "no", "off", "true", "false", "1", "0"].contains(word)
      log.error(
        value.location,
        "\(quoted(key)) must be true or false, not \(value.description)"
          + (advice ? "; write \(meant)" : ""))
    case nil: wrong(key, value, must: "true or false")
    }
    return nil
  }

  func integer(_ key: String, in range: ClosedRange<Int>) -> Int? {
    guard let value = self[key] else { return nil }
    guard let text = value.scalar?.text, let number = Int(text), range.contains(number) else {
      wrong(key, value, must: "a whole number from \(range.lowerBound) to \(range.upperBound)")
      return nil
    }
    return number
  }

  /// A percentage: `40%` or `40`.
  func percent(_ key: String) -> Double? {
    guard let value = self[key] else { return nil }
    let text = value.scalar?.text ?? ""
    let digits = text.hasSuffix("%") ? String(text.dropLast()) : text
    guard let number = Double(digits), number.isFinite, (0...100).contains(number) else {
      wrong(key, value, must: "a percentage from 0% to 100%")
      return nil
    }
    return number
  }

  /// A duration of at least `minimum`, which is a millisecond where zero makes no sense.
  func duration(
    _ key: String, minimum: Duration = .milliseconds(1), maximum: Duration? = nil
  ) -> Duration? {
    guard let value = self[key] else { return nil }
    guard let text = value.scalar?.text else {
      wrong(key, value, must: "a duration such as 30s")
      return nil
    }
    switch DurationFormat.parse(text) {
    case .failure(let fault):
      log.error(
        value.location, "\(quoted(key)) is not a duration: \(quoted(text)); \(fault.advice)")
    case .success(let duration) where duration < minimum:
      log.error(
        value.location,
        "\(quoted(key)) must be at least \(DurationFormat.text(minimum)), not \(printable(text))")
    case .success(let duration):
      guard let maximum, duration > maximum else { return duration }
      log.error(
        value.location,
        "\(quoted(key)) must be at most \(DurationFormat.text(maximum)), not \(printable(text))")
    }
    return nil
  }

  func bytes(_ key: String, minimum: Int64 = 1) -> Int64? {
    guard let value = self[key] else { return nil }
    guard let text = value.scalar?.text else {
      wrong(key, value, must: "a size such as 512MiB")
      return nil
    }
    switch ByteSize.parse(text) {
    case .failure(let fault):
      log.error(value.location, "\(quoted(key)) is not a size: \(quoted(text)); \(fault.advice)")
    case .success(let bytes) where bytes < minimum:
      log.error(value.location, "\(quoted(key)) must be at least \(minimum) bytes, not \(text)")
    case .success(let bytes): return bytes
    }
    return nil
  }

  /// `3 per 15m`.
  func usageLimit(_ key: String) -> UsageLimit? {
    guard let value = self[key] else { return nil }
    let form = "a number and a window such as 3 per 15m"
    let words = (value.scalar?.text ?? "").split(separator: " ")
    guard words.count == 3, words[1] == "per", let count = Int(words[0]) else {
      wrong(key, value, must: form)
      return nil
    }
    guard (1...1000).contains(count) else {
      log.error(
        value.location,
        "\(quoted(key)) must allow 1 to 1000 uses, not \(printable(String(words[0])))"
      )
      return nil
    }
    switch DurationFormat.parse(String(words[2])) {
    case .success(let window) where window >= .seconds(1):
      return UsageLimit(count: count, per: window)
    case .success:
      log.error(value.location, "the window of \(quoted(key)) must be at least 1s")
    case .failure(let fault):
      log.error(
        value.location,
        "\(quoted(key)) must be \(form), not \(value.description); \(fault.advice)")
    }
    return nil
  }

  /// One of a few words.
  func choice<Value>(_ key: String, _ choices: [(name: String, value: Value)]) -> Value? {
    guard let value = self[key] else { return nil }
    let names = choices.map(\.name)
    guard let text = value.scalar?.text else {
      wrong(key, value, must: "one of \(names.joined(separator: ", "))")
      return nil
    }
    if let found = choices.first(where: { $0.name == text }) { return found.value }
    log.error(
      value.location,
      "unknown \(key) \(quoted(text))" + suggestion(for: text, among: names, listing: "one of"))
    return nil
  }

  func mode(_ key: String = "mode") -> Mode? {
    choice(key, Mode.allCases.map { ($0.name, $0) })
  }

  /// The items of a list; one value alone is not taken for a list of one.
  func list(_ key: String, of what: String) -> [Node] {
    guard let value = self[key] else { return [] }
    guard let items = value.items else {
      log.error(
        value.location,
        "\(quoted(key)) must be a list of \(what), not \(value.description)"
          + (value.scalar.map { "; write [\(printable($0.text))]" } ?? ""))
      return []
    }
    return items
  }

  /// A list of texts.
  func strings(_ key: String, of what: String) -> [String]? {
    guard has(key) else { return nil }
    return list(key, of: what).compactMap { item in
      guard let scalar = item.scalar, !item.isNull else {
        log.error(item.location, "\(quoted(key)) must hold texts only, not \(item.description)")
        return nil
      }
      return scalar.text
    }
  }

  /// The entries of a mapping with names of the user's own.
  func entries(_ key: String, of what: String) -> [Node.Entry] {
    guard let value = self[key] else { return [] }
    guard let entries = value.entries else {
      wrong(key, value, must: "a mapping from names to \(what)")
      return []
    }
    return entries
  }
}
