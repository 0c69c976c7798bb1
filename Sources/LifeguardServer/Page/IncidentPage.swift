import LifeguardCore

/// The page of one incident: what happened, line by line.
enum IncidentPage {
  static func page(_ detail: IncidentDetail, now: Timestamp) -> HTML {
    let incident = detail.incident
    let ended: HTML =
      incident.endedAt.map { " · ended \(StatusPage.time($0, now))" } ?? .none
    let next: HTML = incident.next.map { "<p><b>Next:</b> \($0)</p>" } ?? .none
    let attempts = incident.attempts.map { attempt($0, now) }
    let tried: HTML =
      attempts.isEmpty
      ? .none : "<h2>What was tried</h2><section class=\"card\"><ol>\(attempts)</ol></section>"
    return PageFrame.page(
      "#\(incident.id) \(incident.title)", isLive: incident.isOpen,
      """
      <p><a href="/">Status</a></p>
      <header><h1>#\(incident.id) \(incident.title)</h1>
      <span class="badge \(incident.isOpen ? "bad" : "")">\(incident.state)</span>
      <span class="badge">\(incident.severity.isEmpty ? "no severity" : incident.severity)</span>
      </header>
      <p class="dim">\(incident.target ?? "no target") · opened
      \(StatusPage.time(incident.openedAt, now))\(ended)</p>
      \(next)
      \(tried)
      <h2>Timeline</h2>
      <div class="card"><table>\(detail.timeline.map(entry))</table></div>
      \(evidence(detail))
      <footer class="dim">\(TimeText.full(now))</footer>
      """)
  }

  /// One use of a rung, as a list item.
  static func attempt(_ attempt: AttemptView, _ now: Timestamp) -> HTML {
    let mark =
      switch attempt.outcome {
      case "recovered": "good"
      case "not_recovered", "worse": "bad"
      default: "idle"
      }
    let outcome = (attempt.outcome ?? "not verified yet").replacingUnderscores
    let reason: HTML = attempt.outcomeReason.map { ": \($0)" } ?? .none
    let result: HTML = attempt.result.map { ", \($0)" } ?? .none
    let note: HTML =
      attempt.isShadow
      ? " (shadow: not done)" : attempt.isObserved ? " (done by somebody else)" : .none
    return """
      <li><span class="dot \(mark)"></span><b>\(attempt.step)</b> \(attempt.target)\(note)
      \(StatusPage.time(attempt.intendedAt, now))\(result) → \(outcome)\(reason)</li>
      """
  }

  private static func entry(_ entry: EntryView) -> HTML {
    """
    <tr><td class="dim"><time datetime="\(entry.at.timestamp.text)"
    title="\(TimeText.full(entry.at.timestamp))">\(TimeText.clock(entry.at.timestamp))</time></td>
    <td>\(entry.kind.replacingUnderscores)</td><td class="wide">\(entry.sentence)</td></tr>
    """
  }

  private static func evidence(_ detail: IncidentDetail) -> HTML {
    guard detail.incident.evidence != nil || !detail.evidenceFiles.isEmpty else { return .none }
    let files = detail.evidenceFiles.map { file -> HTML in "<li><code>\(file)</code></li>" }
    let words: HTML = detail.incident.evidence.map { "<p>\($0)</p>" } ?? .none
    return "<h2>Evidence</h2><section class=\"card\">\(words)<ul>\(files)</ul></section>"
  }
}

extension String {
  /// `not_recovered` for people.
  var replacingUnderscores: String { String(map { $0 == "_" ? " " : $0 }) }
}
