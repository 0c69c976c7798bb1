extension AnnouncementText {
  /// The message as an HTML document for the second part of a mail; every text is escaped.
  ///
  /// Inline styles only, because mail programs drop the rest.
  public var html: String {
    if templates.text != nil {
      return document("<pre style=\"white-space:pre-wrap\">\(TextEscape.html(plain))</pre>")
    }
    var rows = ""
    for (name, lines) in paragraphs {
      let texts = lines.map { escaped($0) }.joined(separator: "<br>")
      rows +=
        "<tr><th style=\"text-align:left;vertical-align:top;padding:4px 16px 4px 0;"
        + "font-weight:600;white-space:nowrap\">\(escaped(name))</th>"
        + "<td style=\"padding:4px 0\">\(texts)</td></tr>\n"
    }
    let suppressed = suppressedText.map { "<p>\(escaped($0))</p>\n" } ?? ""
    let prefix = templates.prefix.map { escaped($0) } ?? ""
    return document(
      "<h2 style=\"margin:0;color:\(colour)\">\(prefix)\(escaped(headline))</h2>\n"
        + "<p style=\"margin:4px 0 12px;color:#666\">\(escaped(origin))</p>\n"
        + "<table style=\"border-collapse:collapse\">\n\(rows)</table>\n\(suppressed)")
  }

  private func document(_ body: String) -> String {
    "<!DOCTYPE html>\n<html><head><meta charset=\"utf-8\">"
      + "<title>\(escaped(subject))</title></head>\n"
      + "<body style=\"font-family:sans-serif;font-size:14px\">\n\(body)\n</body></html>\n"
  }

  private func escaped(_ text: String) -> String {
    TextEscape.html(TextEscape.visible(text)).split(
      separator: "\n", omittingEmptySubsequences: false
    )
    .joined(separator: "<br>")
  }

  private var colour: String {
    if announcement.kind.isFinal { return "#1a7f37" }
    return announcement.severity == "critical" ? "#b42318" : "#9a6700"
  }
}
