/// A mail with a text part and an HTML part (RFC 5322, RFC 2045-2047), ready to be sent.
///
/// Only ASCII leaves here and no line is longer than 76 bytes, so every server takes it whether it
/// offers 8BITMIME or not. Header values are one line whatever they held: no text from outside can
/// add a header.
public struct MailMessage: Hashable, Sendable {
  public var from: String
  public var to: [String]
  public var subject: String
  public var text: String
  public var html: String
  public var date: Timestamp
  /// Without angle brackets; the same for every attempt to deliver this message.
  public var messageID: String
  /// The thread's first message; nil in that message itself.
  public var inReplyTo: String?
  public var incident: Int

  /// The message about an announcement: all of an incident form one thread, whose first message
  /// has the thread's own name as its identifier.
  public init(_ text: AnnouncementText, from: String, to: [String]) {
    let announcement = text.announcement
    let domain = String(
      announcement.host.unicodeScalars.map { scalar -> Character in
        let isName =
          scalar.isASCII && (scalar.properties.isAlphabetic || ("0"..."9").contains(scalar))
        return isName || scalar == "-" || scalar == "." ? Character(scalar) : "-"
      })
    let place = domain.isEmpty ? "localhost" : domain
    let isFirst = announcement.sequence <= 1
    self.from = from
    self.to = to
    self.subject = text.subject
    self.text = text.plain
    self.html = text.html
    self.date = announcement.at
    messageID = (isFirst ? announcement.thread : announcement.id) + "@" + place
    inReplyTo = isFirst ? nil : announcement.thread + "@" + place
    incident = announcement.incident
  }

  /// Header and body with CR LF line ends, not dot-stuffed.
  public var bytes: [UInt8] {
    var lines = [
      "Date: \(UTCTime(date).mailText)",
      "From: \(MailMessage.addressField(from))",
    ]
    lines += MailMessage.folded("To: ", to.map(MailMessage.addressField), separator: ",")
    lines += MailMessage.unstructured("Subject: ", subject)
    lines.append("Message-ID: <\(messageID)>")
    if let inReplyTo {
      lines += ["In-Reply-To: <\(inReplyTo)>", "References: <\(inReplyTo)>"]
    }
    let boundary = "=_lifeguard_" + RepeatPolicy.fingerprint(messageID)
    lines += [
      "X-Lifeguard-Incident: \(incident)", "Auto-Submitted: auto-generated", "MIME-Version: 1.0",
      "Content-Type: multipart/alternative; boundary=\"\(boundary)\"", "",
    ]
    for (type, body) in [("plain", text), ("html", html)] {
      lines += [
        "--\(boundary)", "Content-Type: text/\(type); charset=utf-8",
        "Content-Transfer-Encoding: quoted-printable", "",
      ]
      lines += MailMessage.quotedPrintable(body)
    }
    lines += ["--\(boundary)--", ""]
    return Array(lines.joined(separator: "\r\n").utf8)
  }

  /// The address in `Name <address>` or a bare one; nil when it could not stand in an SMTP command.
  ///
  /// ASCII only: SMTPUTF8 (RFC 6531) is not spoken.
  public static func address(_ text: String) -> String? {
    var rest = Substring(text)
    if let open = rest.lastIndex(of: "<"), rest.hasSuffix(">") {
      rest = rest[rest.index(after: open)...].dropLast()
    }
    let allowed = rest.utf8.allSatisfy {
      $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "<") && $0 != UInt8(ascii: ">")
    }
    let parts = rest.split(separator: "@", omittingEmptySubsequences: false)
    guard allowed, parts.count >= 2, parts.allSatisfy({ !$0.isEmpty }), rest.utf8.count <= 254
    else { return nil }
    return String(rest)
  }

  /// `Name <address>` with the name quoted or encoded.
  private static func addressField(_ text: String) -> String {
    guard let address = address(text) else { return TextEscape.line(text).filter(\.isASCII) }
    let name = text.split(separator: "<", omittingEmptySubsequences: false).first ?? ""
    let trimmed = TextEscape.line(String(name)).split(separator: " ").joined(separator: " ")
      .filter { $0 != "\"" && $0 != "\\" }
    if trimmed.isEmpty || trimmed == address { return address }
    let shown =
      trimmed.utf8.allSatisfy { $0 < 0x80 }
      ? "\"\(trimmed)\"" : encodedWords(trimmed).joined(separator: " ")
    return "\(shown) <\(address)>"
  }

  private static func folded(_ name: String, _ values: [String], separator: String) -> [String] {
    var lines: [String] = []
    var line = name
    for (index, value) in values.enumerated() {
      let part = value + (index + 1 < values.count ? separator : "")
      if line.utf8.count + part.utf8.count > 76, line != name {
        lines.append(line)
        line = " "
      }
      line += (line == name || line == " " ? "" : " ") + part
    }
    return lines + [line]
  }

  /// A header of free text: as it is when it is short ASCII, else as encoded words.
  private static func unstructured(_ name: String, _ text: String) -> [String] {
    let line = TextEscape.line(text)
    let isPlain = line.utf8.allSatisfy { $0 >= 0x20 && $0 < 0x7F } && !line.contains("=?")
    if isPlain, name.utf8.count + line.utf8.count <= 76 { return [name + line] }
    let words = encodedWords(line)
    return words.enumerated().map { ($0.offset == 0 ? name : " ") + $0.element }
  }

  /// RFC 2047: base64 of UTF-8, at most 75 bytes a word, no character cut in two.
  static func encodedWords(_ text: String) -> [String] {
    var words: [String] = []
    var chunk: [UInt8] = []
    for scalar in text.unicodeScalars {
      let bytes = Array(String(scalar).utf8)
      if chunk.count + bytes.count > 39 {
        words.append("=?utf-8?B?\(Base64.encode(chunk))?=")
        chunk = []
      }
      chunk += bytes
    }
    if !chunk.isEmpty || words.isEmpty { words.append("=?utf-8?B?\(Base64.encode(chunk))?=") }
    return words
  }

  /// RFC 2045, 6.7: lines of at most 76 bytes, ending in `=` where they go on.
  static func quotedPrintable(_ text: String) -> [String] {
    var lines: [String] = []
    for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
      var current = ""
      let bytes = Array(line.utf8)
      for (index, byte) in bytes.enumerated() {
        let isLast = index + 1 == bytes.count
        let isBlank = byte == 0x20 || byte == 0x09
        let isLiteral = byte > 0x20 && byte < 0x7F && byte != UInt8(ascii: "=")
        let piece =
          isLiteral || (isBlank && !isLast)
          ? String(Unicode.Scalar(byte)) : "=" + TextEscape.hexadecimal(byte)
        if current.utf8.count + piece.utf8.count > 75 {
          lines.append(current + "=")
          current = ""
        }
        current += piece
      }
      lines.append(current)
    }
    return lines
  }
}

/// RFC 4648, with padding.
public enum Base64 {
  public static func encode(_ bytes: some Collection<UInt8>) -> String {
    let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
    var result: [UInt8] = []
    var rest = Array(bytes)[...]
    while !rest.isEmpty {
      let group = Array(rest.prefix(3))
      rest = rest.dropFirst(3)
      var bits: UInt32 = 0
      for index in 0..<3 { bits = bits << 8 | UInt32(index < group.count ? group[index] : 0) }
      for index in 0..<4 {
        let value = Int(bits >> UInt32(18 - 6 * index) & 63)
        result.append(index <= group.count ? alphabet[value] : UInt8(ascii: "="))
      }
    }
    return String(decoding: result, as: UTF8.self)
  }
}
