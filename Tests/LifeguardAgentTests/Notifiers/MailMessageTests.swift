import LifeguardCore
import Testing

@testable import LifeguardAgent

@Suite struct SMTPConversationTests {
  private let settings = EmailChannel(
    from: "Lifeguard <lifeguard@example.com>", to: ["ops@example.com", "b@example.com"],
    host: "mail.example.com", port: 25, security: .opportunistic)

  private func conversation(
    _ settings: EmailChannel, isLoopback: Bool = false, attempt: Int = 1
  ) -> SMTPConversation {
    let mail = MailMessage(
      AnnouncementText(announcement()), from: settings.from, to: settings.to)
    return SMTPConversation(
      settings, mail: mail, clientName: "web-01", isLoopback: isLoopback, attempt: attempt)
  }

  /// What the client says to each reply, as text; the message itself as `<message>`.
  private func run(_ conversation: inout SMTPConversation, _ replies: [String]) -> [String] {
    replies.map { text in
      if text == "TLS" { return describe(conversation.tlsEstablished()) }
      let lines = text.split(separator: "|").map(String.init)
      let code = Int(lines[0].prefix(3)) ?? 0
      return describe(
        conversation.received(
          SMTPReply(code: code, lines: lines.map { String($0.dropFirst(4)) })))
    }
  }

  private func describe(_ action: SMTPConversation.Action) -> String {
    switch action {
    case .send(let bytes):
      let text = String(decoding: bytes, as: UTF8.self)
      return text.hasSuffix("\r\n.\r\n") ? "<message>" : String(text.dropLast())
    case .startTLS: return "<tls>"
    case .finish: return "<done>"
    case .fail(let error): return (error.isRetryable ? "later: " : "never: ") + error.reason
    }
  }

  @Test func `a plain session delivers to every recipient`() {
    var session = conversation(settings)
    #expect(
      run(&session, ["220 hi", "250-a|250 SIZE", "250 ok", "250 ok", "250 ok", "354 go", "250 ok"])
        == [
          "EHLO web-01", "MAIL FROM:<lifeguard@example.com>", "RCPT TO:<ops@example.com>",
          "RCPT TO:<b@example.com>", "DATA", "<message>", "<done>",
        ])
  }

  @Test func `TLS comes before the password, and the server is asked again under it`() {
    var settings = settings
    settings.username = "u"
    settings.password = Secret("p")
    var session = conversation(settings)
    #expect(
      run(
        &session,
        [
          "220 hi", "250-a|250-STARTTLS|250 AUTH PLAIN", "220 go", "TLS",
          "250-a|250 AUTH PLAIN LOGIN", "235 ok",
        ])
        == [
          "EHLO web-01", "STARTTLS", "<tls>", "EHLO web-01", "AUTH PLAIN AHUAcA==",
          "MAIL FROM:<lifeguard@example.com>",
        ])
  }

  @Test func `AUTH LOGIN is used where PLAIN is not offered`() {
    var settings = settings
    settings.username = "u"
    settings.password = Secret("p")
    var session = conversation(settings, isLoopback: true)
    #expect(
      run(&session, ["220 hi", "250-a|250 AUTH LOGIN", "334 x", "235 ok"]) == [
        "EHLO web-01", "AUTH LOGIN dQ==", "cA==", "MAIL FROM:<lifeguard@example.com>",
      ])
  }

  @Test func `no password leaves without TLS, except to this host`() {
    var settings = settings
    settings.username = "u"
    settings.password = Secret("p")
    var session = conversation(settings)
    let said = run(&session, ["220 hi", "250-a|250 AUTH PLAIN"])
    #expect(said.last?.hasPrefix("never: the mail server offers no TLS") == true)
    var required = settings
    required.security = .startTLS
    var second = conversation(required, isLoopback: true)
    #expect(run(&second, ["220 hi", "250 a"]).last?.contains("offers no STARTTLS") == true)
  }

  @Test(arguments: [
    (["421 busy"], "later: the mail server closes the connection: 421 busy"),
    (["554 no"], "never: the mail server does not greet: 554 no"),
    (["220 hi", "250 a", "451 later"], "later: the mail server refuses the sender: 451 later"),
    (["220 hi", "250 a", "550 no"], "never: the mail server refuses the sender: 550 no"),
    (
      ["220 hi", "250 a", "250 ok", "450 grey"],
      "later: the mail server refuses a recipient: 450 grey"
    ),
    (
      ["220 hi", "250 a", "250 ok", "550 x", "550 y"],
      "never: the mail server refuses every recipient: 550 y"
    ),
    (
      ["220 hi", "250 a", "250 ok", "250 ok", "250 ok", "354 go", "452 full"],
      "later: the mail server refuses the message: 452 full"
    ),
    (
      ["220 hi", "250 a", "250 ok", "250 ok", "250 ok", "354 go", "554 spam\u{1B}[0m"],
      "never: the mail server refuses the message: 554 spam␛[0m"
    ),
  ])
  func `a refusal says who refused what and whether to try again`(
    _ row: (replies: [String], expected: String)
  ) {
    var session = conversation(settings)
    #expect(run(&session, row.replies).last == row.expected)
  }

  @Test func `one recipient that stays refused does not hold up the others for ever`() {
    var session = conversation(settings, attempt: 3)
    #expect(run(&session, ["220 hi", "250 a", "250 ok", "450 full", "250 ok"]).last == "DATA")
  }

  @Test func `a server without EHLO is greeted with HELO`() {
    var session = conversation(settings)
    #expect(run(&session, ["220 hi", "502 what", "250 a"]).last?.hasPrefix("MAIL FROM") == true)
  }

  @Test func `an address cannot add a command`() {
    var settings = settings
    settings.to = ["x@example.com>\r\nRCPT TO:<evil@example.com"]
    var session = conversation(settings)
    let said = run(&session, ["220 hi", "250 a", "250 ok"])
    #expect(said.last?.hasPrefix("never: `to` is not a mail address") == true)
    #expect(said.allSatisfy { !$0.contains("\n") })
  }

  @Test func `lines that start with a dot are stuffed`() {
    let stuffed = SMTPConversation.dotStuffed(Array(".a\r\nb\r\n.\r\n..c".utf8))
    #expect(String(decoding: stuffed, as: UTF8.self) == "..a\r\nb\r\n..\r\n...c\r\n.\r\n")
  }

  @Test func `replies arrive in any pieces, and nonsense is refused`() throws {
    var reader = SMTPReplyReader()
    var replies: [SMTPReply] = []
    for byte in "220-a\r\n220 b\r\n250 ok\n".utf8 { replies += try reader.read([byte]) }
    #expect(
      replies == [SMTPReply(code: 220, lines: ["a", "b"]), SMTPReply(code: 250, lines: ["ok"])])
    for nonsense in [
      "HTTP/1.1 200\r\n", "999 x\r\n", "220-a\r\n250 b\r\n", String(repeating: "2", count: 5000),
    ] {
      var fresh = SMTPReplyReader()
      #expect(throws: SMTPReplyReader.Failure.self) { try fresh.read(Array(nonsense.utf8)) }
    }
  }
}
