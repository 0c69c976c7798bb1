/// An announcement in words: its subject, headline and plain text, by the built-in form or the
/// channel's templates.
///
/// The built-in text keeps one order in all channels, what is most urgent at night first:
/// what happened, since when, value and threshold, what was tried, the result, what comes next,
/// how to stop it.
public struct AnnouncementText: Sendable {
  /// Names that the templates of a message may use beside `$labels` and `$value` of its first
  /// alert: pass them to `Template(parsing:variables:)`.
  public static let variables = [
    "status", "severity", "title", "host", "incident", "sequence", "kind", "target", "what",
    "since", "tried", "result", "next", "stop", "mode", "summary", "description", "suppressed",
    "text", "time",
  ]

  public var announcement: Announcement
  public var templates: MessageTemplates

  public init(_ announcement: Announcement, templates: MessageTemplates = MessageTemplates()) {
    self.announcement = announcement
    self.templates = templates
  }

  /// One line, the same for all messages of an incident (mail programs thread by it, too), unless
  /// a template says otherwise.
  public var subject: String {
    if let template = templates.subject { return TextEscape.line(template.render(context)) }
    let severity = announcement.severity.isEmpty ? "" : "[\(announcement.severity)] "
    return TextEscape.line(
      "\(severity)\(announcement.host): \(announcement.title) (incident \(announcement.incident))")
  }

  /// One line that says the news: `RECOVERED web on web-01`.
  public var headline: String {
    TextEscape.line("\(status) \(announcement.title) on \(announcement.host)")
  }

  /// The whole message as plain text, free of control characters, with the prefix in front.
  public var plain: String {
    TextEscape.visible((templates.prefix ?? "") + message)
  }

  private var message: String {
    guard let template = templates.text else { return builtIn }
    let text = template.render(context)
    // Whoever wrote the template must still learn that messages are missing.
    guard let suppressedText, !text.contains(suppressedText) else { return text }
    return "\(text)\n\n\(suppressedText)\n"
  }

  var status: String {
    switch announcement.kind {
    case .opened: "FIRING"
    case .refused: "REFUSED"
    case .attemptFailed: "NOT RECOVERED"
    case .escalated: "PAGE"
    case .approvalNeeded: "APPROVAL NEEDED"
    case .recovered: "RECOVERED"
    case .resolved: "RESOLVED"
    case .reminder: "STILL FIRING"
    }
  }

  /// Name and text of each paragraph, in order; those without text are left out.
  public var paragraphs: [(name: String, lines: [String])] {
    let all: [(name: String, lines: [String])] = [
      ("What happened", [announcement.whatHappened]),
      ("Since", [sinceText]),
      ("Alerts", announcement.alerts.prefix(Self.alertsMax).map(alertText) + moreAlerts),
      ("Tried", triedLines),
      ("Result", [announcement.result ?? ""]),
      ("Next", [announcement.next ?? (announcement.kind.isFinal ? "nothing" : "")]),
      ("To stop it", [announcement.howToStop.joined(separator: " · ")]),
      ("Mode", [modeText]),
      ("Acknowledged by", [announcement.acknowledgedBy ?? ""]),
      (
        "Evidence",
        (announcement.evidence ?? "").split(separator: "\n").map(String.init)
      ),
    ]
    return all.compactMap { name, lines in
      // A line feed from outside must not be able to forge a line of ours.
      let lines = lines.filter { !$0.isEmpty }.map { TextEscape.line($0) }
      return lines.isEmpty ? nil : (name, lines)
    }
  }

  /// Alerts named in one message; the rest is counted.
  static let alertsMax = 10

  private var moreAlerts: [String] {
    let more = announcement.alerts.count - Self.alertsMax
    return more > 0 ? ["and \(more) more"] : []
  }

  /// `3 earlier messages were suppressed`; nil when there were none.
  var suppressedText: String? {
    let count = announcement.suppressed
    guard count > 0 else { return nil }
    return count == 1
      ? "1 message was suppressed before this one"
      : "\(count) messages were suppressed before this one"
  }

  /// `incident 17 · critical · service:web · 2026-01-02 03:04:05 UTC`.
  var origin: String {
    TextEscape.line(
      [
        "incident \(announcement.incident)", announcement.severity, announcement.target ?? "",
        UTCTime(announcement.at).text,
      ].filter { !$0.isEmpty }.joined(separator: " · "))
  }

  private var builtIn: String {
    var lines = [headline, origin, ""]
    for (name, texts) in paragraphs {
      if texts.count == 1 {
        lines.append("\(name): \(texts[0])")
      } else {
        lines.append("\(name):")
        lines += texts.map { "  " + $0 }
      }
    }
    if let suppressedText { lines += ["", suppressedText] }
    return lines.joined(separator: "\n") + "\n"
  }

  private var sinceText: String {
    let passed = announcement.at - announcement.since
    return "\(UTCTime(announcement.since).text) (\(Self.spoken(passed)) ago)"
  }

  private var modeText: String {
    guard let frozen = announcement.frozen else { return announcement.mode.name }
    return "\(announcement.mode.name), FROZEN: \(frozen)"
  }

  private var triedLines: [String] {
    if announcement.tried.isEmpty { return ["nothing yet"] }
    return announcement.tried.map { attempt in
      "\(UTCTime(attempt.at).clock) \(attempt.rung). \(attempt.step): \(attempt.outcome)"
    }
  }

  private func alertText(_ alert: AnnouncedAlert) -> String {
    var labels = alert.labels
    for name in ["alertname", "severity", Labels.metricName] { labels[name] = nil }
    let summary = alert.annotations["summary"] ?? alert.annotations["description"] ?? ""
    let ended = alert.endsAt.map { ", ended \(UTCTime($0).clock)" } ?? ""
    return "\(alert.name)\(labels.isEmpty ? "" : labels.description): "
      + (summary.isEmpty ? "" : summary + "; ")
      + "value \(NumberText.general(alert.value, precision: 6)), threshold \(alert.condition), "
      + "since \(UTCTime(alert.startsAt).clock)\(ended)"
  }

  /// `4 s`, `2 min`, `1 h 5 min`, `3 d 2 h`.
  static func spoken(_ duration: Duration) -> String {
    let seconds = max(duration.milliseconds / 1000, 0)
    if seconds < 60 { return "\(seconds) s" }
    if seconds < 3600 { return "\(seconds / 60) min" }
    let (large, small, units) =
      seconds < 86_400
      ? (seconds / 3600, seconds / 60 % 60, ("h", "min"))
      : (seconds / 86_400, seconds / 3600 % 24, ("d", "h"))
    return small == 0 ? "\(large) \(units.0)" : "\(large) \(units.0) \(small) \(units.1)"
  }

  private var context: TemplateContext {
    let alert = announcement.alerts.first
    var context = TemplateContext(
      labels: announcement.routingLabels, value: alert?.value ?? .nan,
      externalLabels: announcement.externalLabels, time: announcement.at)
    context.variables = [
      "status": status, "severity": announcement.severity, "title": announcement.title,
      "host": announcement.host, "incident": "\(announcement.incident)",
      "sequence": "\(announcement.sequence)", "kind": announcement.kind.rawValue,
      "target": announcement.target ?? "", "what": announcement.whatHappened, "since": sinceText,
      "tried": triedLines.joined(separator: "\n"), "result": announcement.result ?? "",
      "next": announcement.next ?? "", "stop": announcement.howToStop.joined(separator: " · "),
      "mode": modeText, "summary": alert?.annotations["summary"] ?? "",
      "description": alert?.annotations["description"] ?? "",
      "suppressed": suppressedText ?? "", "text": builtIn, "time": UTCTime(announcement.at).text,
    ]
    return context
  }
}
