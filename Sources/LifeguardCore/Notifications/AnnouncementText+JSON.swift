extension AnnouncementText {
  /// What a webhook gets; `version` grows only when a member changes its meaning or goes away.
  public var webhook: JSON {
    let announcement = announcement
    return .object(
      JSONObject([
        ("version", .integer(1)), ("id", .string(announcement.id)),
        ("thread", .string(announcement.thread)),
        ("incident", .integer(Int64(announcement.incident))),
        ("sequence", .integer(Int64(announcement.sequence))),
        ("kind", .string(announcement.kind.rawValue)),
        ("status", .string(announcement.kind.isFinal ? "resolved" : "firing")),
        ("severity", .string(announcement.severity)), ("title", .string(announcement.title)),
        ("host", .string(announcement.host)), ("target", optional(announcement.target)),
        ("external_labels", Self.json(announcement.externalLabels)),
        ("since", Self.json(announcement.since)), ("at", Self.json(announcement.at)),
        ("what_happened", .string(announcement.whatHappened)),
        ("alerts", .array(announcement.alerts.map(Self.json))),
        ("tried", .array(announcement.tried.map(Self.json))),
        ("result", optional(announcement.result)), ("next", optional(announcement.next)),
        ("how_to_stop", .array(announcement.howToStop.map(JSON.string))),
        ("mode", .string(announcement.mode.name)), ("frozen", optional(announcement.frozen)),
        ("acknowledged_by", optional(announcement.acknowledgedBy)),
        ("evidence", optional(announcement.evidence)),
        ("suppressed", .integer(Int64(announcement.suppressed))),
        ("subject", .string(subject)), ("text", .string(plain)),
      ]))
  }

  private func optional(_ text: String?) -> JSON { text.map(JSON.string) ?? .null }

  private static func json(_ labels: Labels) -> JSON {
    .object(JSONObject(labels.map { ($0.name, .string($0.value)) }))
  }

  private static func json(_ annotations: [String: String]) -> JSON {
    .object(JSONObject(annotations.sorted { $0.key < $1.key }.map { ($0.key, .string($0.value)) }))
  }

  private static func json(_ time: Timestamp) -> JSON { .string(UTCTime(time).internetText) }

  private static func json(_ alert: AnnouncedAlert) -> JSON {
    .object(
      JSONObject([
        ("name", .string(alert.name)), ("labels", json(alert.labels)),
        ("annotations", json(alert.annotations)), ("value", .number(alert.value)),
        ("condition", .string(alert.condition)), ("starts_at", json(alert.startsAt)),
        ("ends_at", alert.endsAt.map(json) ?? .null),
      ]))
  }

  private static func json(_ attempt: AnnouncedAttempt) -> JSON {
    .object(
      JSONObject([
        ("at", json(attempt.at)), ("rung", .integer(Int64(attempt.rung))),
        ("step", .string(attempt.step)), ("outcome", .string(attempt.outcome)),
      ]))
  }
}

// MARK: Alertmanager

extension AnnouncementText {
  /// The body of `POST /api/v2/alerts`.
  ///
  /// While an alert fires its `endsAt` is `now` + 4 × max(`interval`, 1 min), as Prometheus sends
  /// it, so it must be sent again before that; an alert that is over has it in the past. The
  /// annotations are there in both cases: Alertmanager takes them from the last message.
  ///
  /// - Parameter interval: the evaluation interval of the rules behind it.
  public func alertmanager(now: Timestamp, interval: Duration) -> JSON {
    let expiry = now + max(interval, .seconds(60)) * 4
    return .array(
      alertsToSend.map { alert in
        var labels = alert.labels
        labels[Labels.metricName] = nil
        for label in announcement.externalLabels where labels[label.name] == nil {
          labels[label.name] = label.value
        }
        labels["alertname"] = labels["alertname"] ?? alert.name
        var end = alert.endsAt
        if end == nil, announcement.kind.isFinal { end = announcement.at }
        // endsAt before startsAt is refused (measured with 0.25).
        let ends = end.map { max(min($0, now), alert.startsAt) } ?? expiry
        return .object(
          JSONObject([
            ("labels", Self.json(labels)), ("annotations", annotations(alert)),
            ("startsAt", Self.json(alert.startsAt)), ("endsAt", Self.json(ends)),
          ]))
      })
  }

  /// An incident without alerts, such as one from a process's end, still is one alert there.
  private var alertsToSend: [AnnouncedAlert] {
    if !announcement.alerts.isEmpty { return announcement.alerts }
    var labels: Labels = ["alertname": announcement.title, "instance": announcement.host]
    labels["severity"] = announcement.severity
    labels["target"] = announcement.target
    return [
      AnnouncedAlert(
        name: announcement.title, labels: labels, value: .nan, condition: "",
        startsAt: announcement.since)
    ]
  }

  private func annotations(_ alert: AnnouncedAlert) -> JSON {
    var all = alert.annotations
    all["lifeguard_incident"] = "\(announcement.incident)"
    all["lifeguard_what_happened"] = announcement.whatHappened
    all["lifeguard_tried"] = announcement.tried.map { "\($0.step): \($0.outcome)" }
      .joined(separator: "\n")
    all["lifeguard_result"] = announcement.result
    all["lifeguard_next"] = announcement.next
    all["lifeguard_stop"] = announcement.howToStop.joined(separator: " · ")
    return Self.json(all.filter { !$0.value.isEmpty })
  }
}

// MARK: Slack

extension AnnouncementText {
  /// The body for a Slack incoming webhook: blocks, and a text for notifications and old clients.
  ///
  /// Everything from outside is escaped, so that it can neither link nor mention anybody. Limits
  /// after Slack's block reference: header 150 characters, section text 3000.
  public var slack: JSON {
    let prefix = templates.prefix ?? ""
    var blocks: [JSON] = []
    if templates.text != nil {
      blocks.append(section(TextEscape.slack(plain)))
    } else {
      blocks.append(
        .object([
          ("type", .string("header")),
          ("text", plainText(Self.cut(TextEscape.line(prefix + headline), to: 150))),
        ]))
      let lines = paragraphs.map { name, texts in
        let body = texts.map { TextEscape.slack($0) }
        return "*\(TextEscape.slack(name)):* "
          + (body.count == 1 ? body[0] : "\n" + body.map { "• " + $0 }.joined(separator: "\n"))
      }
      blocks.append(section(lines.joined(separator: "\n")))
      let foot = [origin, suppressedText].compactMap { $0 }.joined(separator: " · ")
      blocks.append(
        .object([
          ("type", .string("context")),
          ("elements", .array([markdown(Self.cut(TextEscape.slack(foot), to: 2000))])),
        ]))
    }
    let text = TextEscape.slack(templates.subject == nil ? prefix + headline : subject)
    return .object([("text", .string(Self.cut(text, to: 3000))), ("blocks", .array(blocks))])
  }

  private func section(_ text: String) -> JSON {
    .object([("type", .string("section")), ("text", markdown(Self.cut(text, to: 3000)))])
  }

  /// `verbatim`: otherwise Slack makes links of bare addresses, and mentions of names.
  private func markdown(_ text: String) -> JSON {
    .object([("type", .string("mrkdwn")), ("text", .string(text)), ("verbatim", .bool(true))])
  }

  private func plainText(_ text: String) -> JSON {
    .object([("type", .string("plain_text")), ("text", .string(text))])
  }

  /// At most `limit` characters, without cutting an `&amp;` in two.
  static func cut(_ text: String, to limit: Int) -> String {
    guard text.unicodeScalars.count > limit else { return text }
    var kept = Array(text.unicodeScalars.prefix(limit - 1))
    if let ampersand = kept.lastIndex(of: "&"), !kept[ampersand...].contains(";"),
      kept.count - ampersand < 6
    {
      kept.removeSubrange(ampersand...)
    }
    return String(String.UnicodeScalarView(kept)) + "…"
  }
}

extension JSON {
  fileprivate static func object(_ members: [(String, JSON)]) -> JSON {
    .object(JSONObject(members))
  }
}
