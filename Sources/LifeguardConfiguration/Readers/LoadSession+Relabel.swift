import LifeguardCore

extension LoadSession {
  /// `relabel_configs` and its like.
  func readRelabelling(_ key: String, _ reader: SectionReader) -> [RelabelRule] {
    reader.list(key, of: "relabelling rules").compactMap(readRelabelRule)
  }

  private func readRelabelRule(_ node: Node) -> RelabelRule? {
    guard let reader = SectionReader(node, Schema.relabel, log: log) else { return nil }
    let action =
      reader.choice("action", RelabelRule.Action.allCases.map { ($0.rawValue, $0) }) ?? .replace
    let pattern = reader.string("regex") ?? RelabelRule.anything
    let expression: RegularExpression
    do {
      expression = try RegularExpression(pattern)
    } catch {
      log.error(
        reader.location(of: "regex"), "\(quoted(pattern)) is not a regular expression: \(error)")
      return nil
    }
    var rule = RelabelRule(action: action, expression: expression)
    rule.sourceLabels = reader.strings("source_labels", of: "label names") ?? []
    if let separator = reader.string("separator") { rule.separator = separator }
    if let target = reader.word("target_label") { rule.targetLabel = target }
    if let replacement = reader.string("replacement") { rule.replacement = replacement }
    if let modulus = reader.integer("modulus", in: 1...Int.max) { rule.modulus = UInt64(modulus) }
    return check(rule, reader) ? rule : nil
  }

  /// What each action needs, as Prometheus checks it.
  private func check(_ rule: RelabelRule, _ reader: SectionReader) -> Bool {
    var isGood = true
    func need(_ key: String, _ isMissing: Bool, _ example: String) {
      guard isMissing else { return }
      log.error(
        reader.location(of: key),
        "\(quoted(key)) is missing in relabel_configs[] with action \(rule.action.rawValue);"
          + " write \(example)")
      isGood = false
    }
    switch rule.action {
    case .replace, .lowercase, .uppercase, .keepequal, .dropequal, .hashmod:
      need("target_label", rule.targetLabel.isEmpty, "target_label: instance")
    case .keep, .drop, .labelmap, .labeldrop, .labelkeep: break
    }
    if rule.action == .hashmod { need("modulus", rule.modulus == 0, "modulus: 8") }
    return isGood
  }
}
