import LifeguardCore

extension LoadSession {
  /// `matchers:`: texts such as `severity="critical"`, in Alertmanager's form.
  func readMatchers(_ reader: SectionReader) -> [Matcher] {
    reader.list("matchers", of: "texts such as severity=\"critical\"").compactMap { node in
      guard let scalar = node.scalar, !node.isNull else {
        log.error(
          node.location,
          "a matcher must be a text such as 'severity=\"critical\"', not \(node.description)")
        return nil
      }
      return readMatcher(scalar, at: node.location)
    }
  }

  private func readMatcher(_ scalar: Scalar, at location: SourceLocation) -> Matcher? {
    let text = scalar.text.trimmed
    let name = text.prefix { !"=!~ {}\"',".contains($0) }
    var rest = text.dropFirst(name.count).drop { $0 == " " }
    let kinds: [Matcher.Kind] = [.regexMatch, .regexNoMatch, .notEqual, .equal]
    guard !name.isEmpty, let kind = kinds.first(where: { rest.hasPrefix($0.rawValue) }) else {
      log.error(
        location,
        "invalid matcher \(quoted(text)); write a label, one of = != =~ !~, and a value, such as"
          + " 'severity=\"critical\"'")
      return nil
    }
    rest = rest.dropFirst(kind.rawValue.count).drop { $0 == " " }
    guard let value = unquote(rest) else {
      log.error(location, "invalid matcher \(quoted(text)): the quotes of its value do not match")
      return nil
    }
    do {
      return try Matcher(name: String(name), kind: kind, value: value)
    } catch {
      log.error(location, "invalid matcher \(quoted(text)): \(printable(error.message))")
      return nil
    }
  }

  /// A value in double quotes, where `\"`, `\\` and `\n` are escapes, or without quotes.
  private func unquote(_ text: Substring) -> String? {
    guard text.first == "\"" else {
      return text.contains("\"") || text.hasPrefix("=") ? nil : String(text)
    }
    var value = ""
    var isEscaped = false
    var isClosed = false
    for character in text.dropFirst() {
      guard !isClosed else { return nil }
      if isEscaped {
        isEscaped = false
        switch character {
        case "n": value.append("\n")
        case "\"", "\\": value.append(character)
        // Other escapes belong to the regular expression.
        default: value += "\\\(character)"
        }
      } else if character == "\\" {
        isEscaped = true
      } else if character == "\"" {
        isClosed = true
      } else {
        value.append(character)
      }
    }
    return isClosed ? value : nil
  }

  /// `recoveries:`, in file order.
  func readRecoveries(_ items: [Node]) {
    for item in items {
      guard let entry = readRecovery(item, known: nil) else { continue }
      configuration.recoveries.append(entry)
    }
  }

  /// One entry.
  ///
  /// - Parameter known: The plans that it may name; nil checks it when all plans are known.
  func readRecovery(_ node: Node, known: Set<String>?) -> RecoveryEntry? {
    guard let reader = SectionReader(node, Schema.recovery, log: log) else { return nil }
    let hasMatchers = reader.required("matchers", such: "matchers: ['alertname=\"NAME\"']") != nil
    let matchers = readMatchers(reader)
    guard reader.required("plan", such: "plan: NAME, or plan: none") != nil,
      let plan = reader.word("plan"), hasMatchers
    else { return nil }
    let location = reader.location(of: "plan")
    if plan == "none" {
      return RecoveryEntry(matchers: matchers, plan: nil, location: node.location)
    }
    if let known, !known.contains(plan) {
      log.error(location, "no plan is named \(quoted(plan))")
    } else if known == nil {
      let namesService = matchers.contains { $0.name == "service" && !$0.value.isEmpty }
      planUses.append(PlanUse(plan: plan, location: location, namesService: namesService))
    }
    return RecoveryEntry(matchers: matchers, plan: plan, location: node.location)
  }
}
