import LifeguardAgent
import LifeguardCore
import LifeguardServer

/// What `lifeguard explain aws` prints.
struct ExplainCloud {
  var report: CloudReport
  var terminal: Terminal

  func show() {
    let use = report.use
    let cost = report.cost
    guard report.namespace != nil || report.log != nil || report.listens else {
      print("nothing is handed to AWS: there is no `aws:` in the configuration")
      return
    }
    if let namespace = report.namespace {
      fact("metrics", "\(report.metrics.joined(separator: ", ")) in \(namespace)")
      fact("under", report.dimensions.joined(separator: "; "))
      let counted = report.isCounted ? "" : " (one series a metric is assumed)"
      fact(
        "a month",
        "\(cost.customMetrics) metrics = \(use.metrics) x \(use.dimensionSets) sets of dimensions"
          + counted)
      fact("", "\(cost.requests) requests, each of \(seconds(use.sendEverySeconds))")
    }
    if let log = report.log {
      fact("log", log)
      fact(
        "a month",
        "\(cost.logLines) lines of \(use.lineBytes ?? 0) bytes, \(number(cost.logGigabytes)) GB")
    }
    fact(
      "cost",
      "\(number(cost.dollars)) USD a month: metrics \(number(cost.metricDollars)), requests "
        + "\(number(cost.requestDollars)), log \(number(cost.logDollars))")
    fact("", "\(report.prices); without free tier")
    let plan = report.terminationPlan.map { "plan \($0) answers" } ?? "people are told"
    fact("notices", report.listens ? "listened for; \(plan)" : "not listened for")
    for progress in report.progress {
      let failure = progress.failure.map { "; \($0)" } ?? ""
      fact(
        "\(progress.kind) now",
        "\(progress.sent) sent in \(progress.requests) requests, \(progress.waiting) wait, "
          + "\(progress.dropped) lost\(failure)")
    }
  }

  private func fact(_ name: String, _ text: String) {
    let padding = String(repeating: " ", count: max(1, 13 - name.count))
    let indent = String(repeating: " ", count: 13)
    for (index, line) in terminal.wrap(Printable.text(text), indent: 13).enumerated() {
      print((index == 0 ? terminal.paint(name, .dim) + padding : indent) + line)
    }
  }

  private func seconds(_ value: Double) -> String {
    Duration.milliseconds(Int64(value * 1000)).text
  }

  /// Four places: a log's share of the bill is small.
  private func number(_ value: Double) -> String {
    let scaled = Int64((value * 10_000).rounded())
    let digits = String(scaled % 10_000)
    return "\(scaled / 10_000)." + String(repeating: "0", count: 4 - digits.count) + digits
  }
}
