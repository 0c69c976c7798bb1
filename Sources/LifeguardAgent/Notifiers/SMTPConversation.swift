import LifeguardCore

/// The client's side of an SMTP session, as a value: replies in, actions out.
///
/// ```
/// greeting ─▶ EHLO ─▶ STARTTLS ─▶ EHLO ─▶ AUTH ─▶ MAIL ─▶ RCPT … ─▶ DATA ─▶ text ─▶ QUIT
/// ```
///
/// Passwords go over TLS or the loopback interface only, whatever the server offers.
struct SMTPConversation: Sendable {
  enum Action: Hashable, Sendable {
    case send([UInt8])
    /// Begin TLS, then report `tlsEstablished`.
    case startTLS
    /// Delivered: say goodbye and close. To whom it was not, and why, if there is any such.
    case finish(leftOut: String?)
    case fail(DeliveryError)
  }

  private enum State {
    case greeting, hello, fallbackHello, startTLS, tlsHandshake, plain, loginName, loginPassword
    case mail
    case recipient(Int)
    case data, text, done
  }

  private let settings: EmailChannel
  private let mail: MailMessage
  private let clientName: String
  private let isLoopback: Bool
  private let attempt: Int
  private var state = State.greeting
  private var isEncrypted: Bool
  private var offered: [String] = []
  private var accepted = 0
  /// The last recipient that was refused.
  private var refused: (address: String, reply: SMTPReply)?

  /// - Parameters:
  ///   - clientName: what EHLO says.
  ///   - attempt: from the third on, one recipient that is refused for now holds up no other.
  init(
    _ settings: EmailChannel, mail: MailMessage, clientName: String, isLoopback: Bool,
    attempt: Int
  ) {
    self.settings = settings
    self.mail = mail
    self.clientName = clientName
    self.isLoopback = isLoopback
    self.attempt = attempt
    isEncrypted = settings.security == .implicitTLS
  }

  mutating func received(_ reply: SMTPReply) -> Action {
    if reply.code == 421 { return fail(reply, "closes the connection") }
    switch state {
    case .greeting:
      guard reply.code == 220 else { return fail(reply, "does not greet") }
      state = .hello
      return command("EHLO \(clientName)")
    case .hello:
      guard reply.isPositive else {
        state = .fallbackHello
        return reply.code >= 500 ? command("HELO \(clientName)") : fail(reply, "refuses EHLO")
      }
      offered = reply.lines.dropFirst().map { $0.uppercased() }
      return afterHello()
    case .fallbackHello:
      return reply.isPositive ? afterHello() : fail(reply, "refuses HELO")
    case .startTLS:
      guard reply.code == 220 else { return fail(reply, "refuses STARTTLS") }
      state = .tlsHandshake
      return .startTLS
    case .tlsHandshake, .done:
      return .fail(DeliveryError(retryable: true, "the mail server answers out of turn"))
    case .plain, .loginPassword:
      return reply.code == 235 ? sendMail() : refuseLogin(reply)
    case .loginName:
      guard reply.code == 334 else { return refuseLogin(reply) }
      state = .loginPassword
      return command(Base64.encode((settings.password?.revealed ?? "").utf8))
    case .mail:
      return reply.isPositive ? sendRecipient(0) : fail(reply, "refuses the sender")
    case .recipient(let index): return recipientAnswered(index, reply)
    case .data:
      guard reply.code == 354 else { return fail(reply, "refuses DATA") }
      state = .text
      return .send(Self.dotStuffed(mail.bytes))
    case .text:
      guard reply.isPositive else { return fail(reply, "refuses the message") }
      state = .done
      return .finish(
        leftOut: refused.map { "the mail server refuses \($0.address): \($0.reply.text)" })
    }
  }

  /// TLS is up: what was said before counts no more (RFC 3207, 4.2).
  mutating func tlsEstablished() -> Action {
    isEncrypted = true
    offered = []
    state = .hello
    return command("EHLO \(clientName)")
  }

  private mutating func afterHello() -> Action {
    if !isEncrypted {
      let isOffered = offered.contains("STARTTLS")
      if isOffered {
        state = .startTLS
        return command("STARTTLS")
      }
      if settings.security == .startTLS {
        return .fail(
          DeliveryError(
            retryable: false,
            "the mail server offers no STARTTLS, which smtp+starttls requires; "
              + "use smtps:// or switch it on there"))
      }
    }
    guard let username = settings.username else { return sendMail() }
    guard isEncrypted || isLoopback else {
      return .fail(
        DeliveryError(
          retryable: false,
          "the mail server offers no TLS, and a password is not sent without; "
            + "use smtps:// or remove the user name"))
    }
    return authenticate(username)
  }

  private mutating func authenticate(_ username: String) -> Action {
    let mechanisms = offered.first { $0.hasPrefix("AUTH ") || $0.hasPrefix("AUTH=") }?
      .dropFirst(5).split(separator: " ").map(String.init)
    if mechanisms?.contains("PLAIN") == true {
      state = .plain
      let secret = "\0\(username)\0\(settings.password?.revealed ?? "")"
      return command("AUTH PLAIN \(Base64.encode(secret.utf8))")
    }
    if mechanisms?.contains("LOGIN") == true {
      state = .loginName
      return command("AUTH LOGIN \(Base64.encode(username.utf8))")
    }
    return .fail(
      DeliveryError(
        retryable: false,
        "the mail server offers neither AUTH PLAIN nor AUTH LOGIN; "
          + "remove the user name or switch one on there"))
  }

  private mutating func sendMail() -> Action {
    guard let address = MailMessage.address(mail.from) else {
      return .fail(invalid("from", mail.from))
    }
    state = .mail
    return command("MAIL FROM:<\(address)>")
  }

  private mutating func sendRecipient(_ index: Int) -> Action {
    guard index < mail.to.count else {
      guard accepted > 0 else {
        return refused.map { fail($0.reply, "refuses every recipient") }
          ?? .fail(DeliveryError(retryable: false, "the receiver names no recipient; add `to`"))
      }
      state = .data
      return command("DATA")
    }
    guard let address = MailMessage.address(mail.to[index]) else {
      return .fail(invalid("to", mail.to[index]))
    }
    state = .recipient(index)
    return command("RCPT TO:<\(address)>")
  }

  private mutating func recipientAnswered(_ index: Int, _ reply: SMTPReply) -> Action {
    if reply.isPositive {
      accepted += 1
    } else {
      // Greylisting refuses at first and for all: wait for it, but not for one of many for ever.
      if reply.code < 500, attempt < 3 { return fail(reply, "refuses a recipient") }
      refused = (mail.to[index], reply)
    }
    return sendRecipient(index + 1)
  }

  private func invalid(_ key: String, _ text: String) -> DeliveryError {
    DeliveryError(
      retryable: false, "`\(key)` is not a mail address: \(TextEscape.quoted(text))")
  }

  private func command(_ text: String) -> Action { .send(Array("\(text)\r\n".utf8)) }

  /// A password is put right by a person, while the message waits.
  private func refuseLogin(_ reply: SMTPReply) -> Action {
    .fail(
      DeliveryError(
        retryable: true, "the mail server refuses the user name or password: \(reply.text)"))
  }

  private func fail(_ reply: SMTPReply, _ what: String) -> Action {
    .fail(
      DeliveryError(
        retryable: reply.code < 500, "the mail server \(what): \(reply.text)"))
  }

  /// A line that starts with a dot gets another one; a single dot ends the text (RFC 5321, 4.5.2).
  static func dotStuffed(_ bytes: [UInt8]) -> [UInt8] {
    var result: [UInt8] = []
    result.reserveCapacity(bytes.count + 16)
    var isLineStart = true
    for byte in bytes {
      if isLineStart, byte == UInt8(ascii: ".") { result.append(byte) }
      result.append(byte)
      isLineStart = byte == UInt8(ascii: "\n")
    }
    if !isLineStart { result += [13, 10] }
    return result + Array(".\r\n".utf8)
  }
}
