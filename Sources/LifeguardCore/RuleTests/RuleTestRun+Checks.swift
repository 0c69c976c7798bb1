/// What a test compares, and how it tells the difference.
extension Run {
  // MARK: Alerts

  private struct ShownAlert: Equatable {
    var labels: [String: String]
    var annotations: [String: String]

    var text: String {
      "Labels:\(Self.text(labels))\nAnnotations:\(Self.text(annotations))"
    }

    /// `{a="1", b="2"}`, as Prometheus writes labels.
    static func text(_ labels: [String: String]) -> String {
      "{"
        + sorted(labels).map { "\($0.name)=\(QuotedText.quoted($0.value))" }
        .joined(separator: ", ") + "}"
    }

    static func sorted(_ labels: [String: String]) -> [Label] {
      labels.map { Label(name: $0.key, value: $0.value) }.sorted()
    }

    static func precedes(_ left: ShownAlert, _ right: ShownAlert) -> Bool {
      left.labels == right.labels
        ? sorted(left.annotations).lexicographicallyPrecedes(sorted(right.annotations))
        : sorted(left.labels).lexicographicallyPrecedes(sorted(right.labels))
    }
  }

  private func firing(_ name: String) -> [Alert] {
    turn.monitor.state.tracker.firing.filter { alert in
      alert.name == name && turn.monitor.policy.rules[alert.key.rule] != nil
    }
  }

  mutating func check(_ item: RuleTest.AlertExpectation) {
    turn.monitor.templateQuery = turn.templateQuery(at: turn.lastEvaluation ?? test.start)
    let got = firing(item.alertName).map { alert in
      ShownAlert(
        labels: Dictionary(uniqueKeysWithValues: alert.key.labels.map { ($0.name, $0.value) }),
        annotations: turn.monitor.annotations(of: alert))
    }.sorted(by: ShownAlert.precedes)
    turn.monitor.templateQuery = nil
    let expected = item.alerts.map { alert in
      ShownAlert(
        labels: alert.labels.merging(["alertname": item.alertName]) { _, name in name },
        annotations: alert.annotations)
    }.sorted(by: ShownAlert.precedes)
    guard got != expected else { return }
    let texts = (Self.text(expected), Self.text(got))
    fail(
      failure(
        .alert, item.alertName, item.time,
        heading + "    alertname: \(item.alertName), time: \(GoDuration.model(item.time)), \n"
          + "        exp:\(Self.indented(texts.0)), \n        got:\(Self.indented(texts.1))",
        expected: texts.0, got: texts.1))
  }

  private var heading: String { test.name.isEmpty ? "" : "    name: \(test.name),\n" }

  private static func text(_ alerts: [ShownAlert]) -> String {
    guard !alerts.isEmpty else { return "[]" }
    let items = alerts.enumerated().map { index, alert in
      "\(index):" + lines("\n" + alert.text, indented: "  ")
    }
    return "[\n" + items.joined(separator: ",\n") + "\n]"
  }

  private static func indented(_ text: String) -> String {
    lines(text, indented: "            ")
  }

  /// Every line but the first moved to the right.
  private static func lines(_ text: String, indented indentation: String) -> String {
    text.split(separator: "\n", omittingEmptySubsequences: false)
      .joined(separator: "\n" + indentation)
  }

  // MARK: Expressions

  mutating func check(_ item: RuleTest.ExpressionExpectation) {
    let start =
      "    expr: \(QuotedText.quoted(item.expression)), time: \(GoDuration.model(item.time))"
    var got: [(labels: Labels, value: Double)]
    var expected: [(labels: Labels, value: Double)] = []
    do {
      got = try evaluate(item)
      for sample in item.samples {
        do throws(SeriesDescriptionError) {
          expected.append((try Labels(notation: sample.labels), sample.value))
        } catch {
          let labels = QuotedText.quoted(sample.labels)
          throw SeriesDescriptionError("labels \(labels): \(error.message)")
        }
      }
    } catch {
      fail(
        failure(.expression, item.expression, item.time, "\(start), err: \(error)", got: "\(error)")
      )
      return
    }
    got.sort { $0.labels < $1.labels }
    expected.sort { $0.labels < $1.labels }
    let isMet =
      got.count == expected.count
      && zip(got, expected).allSatisfy {
        isSame($0.labels, $1.labels) && isSame($0.value, $1.value)
      }
    guard !isMet else { return }
    let texts = (Self.text(expected), Self.text(got))
    fail(
      failure(
        .expression, item.expression, item.time,
        "\(start),\n        exp: \(texts.0)\n        got: \(texts.1)", expected: texts.0,
        got: texts.1))
  }

  private func evaluate(
    _ item: RuleTest.ExpressionExpectation
  ) throws -> [(labels: Labels, value: Double)] {
    let result = try Query(parsing: item.expression).instant(
      over: turn.head, at: test.start + item.time, options: turn.queryOptions)
    switch result.value {
    case .vector(let elements): return elements.map { ($0.labels, $0.value) }
    case .scalar(let value): return [(Labels(), value)]
    case .string, .matrix:
      throw QueryError.execution("rule result is not a vector or scalar")
    }
  }

  private func isSame(_ left: Labels, _ right: Labels) -> Bool {
    left.elementsEqual(right) { $0.name == $1.name && $0.value == $1.value }
  }

  /// NaN differs from NaN, as in promtool.
  private func isSame(_ left: Double, _ right: Double) -> Bool {
    if left == right { return true }
    return file.comparesLoosely && (left.nextUp == right || left.nextDown == right)
  }

  private static func text(_ samples: [(labels: Labels, value: Double)]) -> String {
    guard !samples.isEmpty else { return "nil" }
    return samples.map { sample in
      let labels = Dictionary(uniqueKeysWithValues: sample.labels.map { ($0.name, $0.value) })
      return ShownAlert.text(labels) + " " + NumberText.exponent(sample.value, upper: true)
    }.joined(separator: ", ")
  }

  // MARK: Recoveries

  mutating func check(_ item: RuleTest.RecoveryExpectation) {
    let meant = firing(item.alertName).filter { alert in
      item.labels.allSatisfy { alert.key.labels[$0.key] ?? "" == $0.value }
    }
    let monitor = turn.monitor
    func matches(_ alert: Alert) -> Bool {
      let plan = monitor.plan(for: alert.key)
      guard plan?.name == item.plan else { return false }
      return item.mode == nil || plan == nil || monitor.mode(of: alert, plan) == item.mode
    }
    guard meant.isEmpty || !meant.allSatisfy(matches) else { return }
    let expected =
      "\(item.plan ?? "none")\(item.mode.map { " in mode \($0.name)" } ?? "")"
    let got =
      meant.isEmpty
      ? "no such alert fires"
      : meant.map { alert in
        let plan = monitor.plan(for: alert.key)
        let how = plan == nil ? "" : " in mode \(monitor.mode(of: alert, plan).name)"
        return "\(plan?.name ?? "none")\(how) for \(alert.key.labels)"
      }.joined(separator: ", ")
    fail(
      failure(
        .recovery, item.alertName, item.time,
        heading + "    recovery of alertname: \(item.alertName), time:"
          + " \(GoDuration.model(item.time)),\n        exp: \(expected)\n        got: \(got)",
        expected: expected, got: got))
  }
}

extension Monitor {
  /// The mode in which a plan would answer an alert: the lowest ceiling of those that apply.
  func mode(of alert: Alert, _ plan: Plan?) -> Mode {
    min(policy.mode, plan?.mode ?? .auto, mode(of: alert.key))
  }
}
