import LifeguardAgent
import LifeguardCore

/// The page at `/`: what is going on, whole without JavaScript.
enum StatusPage {
  static func page(_ status: StatusView, recent: [IncidentView]) -> HTML {
    let now = status.now.timestamp
    let title =
      status.incidents.isEmpty
      ? "\(status.host): all well" : "\(status.host): \(status.incidents.count) open"
    var main = header(status)
    main += problems(status)
    main += approvals(status.approvals, now)
    main += open(status.incidents, now)
    main += services(status.services, now)
    main += alerts(status.alerts, now)
    main += silences(status.silences, now)
    main += past(recent.filter { !$0.isOpen }, now)
    main += footer(status)
    return PageFrame.page(title, isLive: true, main)
  }

  private static func header(_ status: StatusView) -> HTML {
    let action: HTML =
      status.frozen != nil
      ? form("thaw", [], "Thaw")
      : form("freeze", [("reason", "from the status page")], "Freeze", isQuiet: true)
    let frozen: HTML = status.frozen.map { "<span class=\"badge bad\">\($0)</span>" } ?? .none
    return """
      <header>
      <h1>\(status.host)</h1>
      <span class="badge">mode \(status.mode)</span>
      \(frozen)
      <span class="spring"></span>
      \(action)
      </header>
      """
  }

  /// What keeps Lifeguard itself from working as it should.
  private static func problems(_ status: StatusView) -> HTML {
    var lines: [HTML] = status.configurationProblems.map { "<li>configuration: \($0)</li>" }
    lines += status.ruleProblems.sorted { $0.key < $1.key }.map { "<li>rule \($0): \($1)</li>" }
    lines += status.collectors.compactMap { collector in
      collector.problem.map { "<li>collector \(collector.name): \($0)</li>" }
    }
    if status.storage.state != "durable" { lines.append("<li>state: \(status.storage.state)</li>") }
    if !["on", "off"].contains(status.storage.samples) {
      lines.append("<li>samples: \(status.storage.samples)</li>")
    }
    lines += status.notificationProblems.map { "<li>\($0)</li>" }
    if status.pendingNotifications > 0 {
      lines.append("<li>messages that wait to be delivered: \(status.pendingNotifications)</li>")
    }
    return lines.isEmpty
      ? .none : "<section class=\"card warn\"><h2>Lifeguard itself</h2><ul>\(lines)</ul></section>"
  }

  private static func approvals(_ approvals: [ApprovalView], _ now: Timestamp) -> HTML {
    guard !approvals.isEmpty else { return .none }
    let lines = approvals.map { approval -> HTML in
      """
      <li>\(approval.sentence), asked \(time(approval.askedAt, now))
      \(form("approve", [("id", approval.id)], "Approve"))</li>
      """
    }
    return "<section class=\"card warn\"><h2>Waiting for you</h2><ul>\(lines)</ul></section>"
  }

  /// The incidents that are open.
  private static func open(_ incidents: [IncidentView], _ now: Timestamp) -> HTML {
    guard !incidents.isEmpty else {
      return "<section class=\"card calm\"><h2>No open incident</h2></section>"
    }
    return "<h2>Open incidents</h2>\(incidents.map { openIncident($0, now) })"
  }

  private static func openIncident(_ incident: IncidentView, _ now: Timestamp) -> HTML {
    let attempts = incident.attempts.suffix(5).map { IncidentPage.attempt($0, now) }
    let tried: HTML =
      attempts.isEmpty ? "<p class=\"dim\">Nothing was tried yet.</p>" : "<ol>\(attempts)</ol>"
    let next: HTML = incident.next.map { "<p><b>Next:</b> \($0)</p>" } ?? .none
    let owner: HTML =
      incident.acknowledgedBy.map { "<span class=\"badge\">\($0) has it</span>" }
      ?? form("ack", [("incident", "\(incident.id)")], "I have it", isQuiet: true)
    return """
      <section class="card \(level(incident.severity))">
      <div class="line"><h3><a href="/incidents/\(incident.id)">#\(incident.id) \
      \(incident.title)</a></h3> <span class="badge">\
      \(incident.severity.isEmpty ? "no severity" : incident.severity)</span>
      <span class="spring"></span>\(owner)</div>
      <p class="dim">\(incident.target ?? "no target") · opened \(time(incident.openedAt, now))</p>
      \(tried)
      \(next)
      </section>
      """
  }

  private static func services(_ services: [ServiceView], _ now: Timestamp) -> HTML {
    guard !services.isEmpty else { return .none }
    let rows = services.map { service -> HTML in
      let mark = ["up": "good", "down": "bad"][service.state] ?? "idle"
      let process: HTML = service.pid.map { "pid \($0)" } ?? .none
      let since: HTML = service.since.map { time($0, now) } ?? .none
      let words: HTML = service.sentence.isEmpty ? process : "\(service.sentence)"
      return """
        <tr><td><span class="dot \(mark)"></span>\(service.name)</td>
        <td>\(service.state)</td><td class="dim">\(since)</td><td class="wide">\(words)</td></tr>
        """
    }
    return "<h2>Services</h2><div class=\"card\"><table>\(rows)</table></div>"
  }

  private static func alerts(_ alerts: [AlertView], _ now: Timestamp) -> HTML {
    guard !alerts.isEmpty else { return .none }
    let rows = AlertView.byUrgency(alerts).map { alert -> HTML in
      let mark = alert.state == "firing" ? level(alert.labels["severity"] ?? "") : "idle"
      return """
        <tr><td><span class="dot \(mark)"></span>\(alert.name)</td>
        <td>\(alert.noData ? "no data" : alert.state)</td>
        <td class="dim">\(time(alert.since, now))</td><td class="wide">\(alert.summary)</td></tr>
        """
    }
    return "<h2>Alerts</h2><div class=\"card\"><table>\(rows)</table></div>"
  }

  private static func silences(_ silences: [SilenceView], _ now: Timestamp) -> HTML {
    guard !silences.isEmpty else { return .none }
    let rows = silences.map { silence -> HTML in
      """
      <tr><td>\(silence.matchers.joined(separator: " "))</td>
      <td class="dim">ends \(TimeText.relative(silence.until.timestamp, to: now))</td>
      <td class="wide">\(silence.by)\(silence.comment.isEmpty ? "" : ": \(silence.comment)")</td>
      <td>\(form("unsilence", [("id", silence.id)], "End", isQuiet: true))</td></tr>
      """
    }
    return "<h2>Silences</h2><div class=\"card\"><table>\(rows)</table></div>"
  }

  private static func past(_ incidents: [IncidentView], _ now: Timestamp) -> HTML {
    guard !incidents.isEmpty else { return .none }
    let rows = incidents.prefix(10).map { incident -> HTML in
      let length = incident.endedAt.map { $0.timestamp - incident.openedAt.timestamp }
      let facts = [incident.target, length.map { "took \($0.text)" }].compactMap(\.self)
      return """
        <tr><td><a href="/incidents/\(incident.id)">#\(incident.id) \(incident.title)</a></td>
        <td>\(incident.state)</td>
        <td class="dim">\(time(incident.openedAt, now))</td>
        <td class="wide">\(facts.joined(separator: ", "))</td></tr>
        """
    }
    return "<h2>Before</h2><div class=\"card\"><table>\(rows)</table></div>"
  }

  private static func footer(_ status: StatusView) -> HTML {
    """
    <footer class="dim">\(status.series) series, \(status.rules) rules,
    \(status.collectors.count) collectors · up for
    \(TimeText.rounded(status.now.timestamp - status.startedAt.timestamp)) ·
    Lifeguard \(status.version) · \(TimeText.full(status.now.timestamp)) ·
    <a href="/metrics">metrics</a></footer>
    """
  }

  /// A button; it works without JavaScript.
  static func form(
    _ command: String, _ fields: [(name: String, value: String)], _ label: String,
    isQuiet: Bool = false
  ) -> HTML {
    let inputs = fields.map { field -> HTML in
      "<input type=\"hidden\" name=\"\(field.name)\" value=\"\(field.value)\">"
    }
    return """
      <form method="post" action="/api/v1/\(command)">\(inputs)\
      <button class="\(isQuiet ? "quiet" : "strong")">\(label)</button></form>
      """
  }

  static func time(_ time: WallTime, _ now: Timestamp) -> HTML {
    let full = TimeText.full(time.timestamp)
    return """
      <time datetime="\(time.timestamp.text)" title="\(full)">\
      \(TimeText.relative(time.timestamp, to: now))</time>
      """
  }

  static func level(_ severity: String) -> String {
    switch severity {
    case "critical": "bad"
    case "info": "idle"
    default: "warn"
    }
  }
}
