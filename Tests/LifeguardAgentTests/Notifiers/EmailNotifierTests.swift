import LifeguardCore
import NIOPosix
import TestSupport
import Testing

@testable import LifeguardAgent

/// The Python that has aiosmtpd: the one of the tests' own environment, else the system's.
private enum Python {
  static var path: String? {
    for candidate in [SourceTree.path(".build/venv/bin/python3"), "python3"] {
      guard let path = Requirement.locate(candidate) else { continue }
      // A failure to start means: not this one.
      let program = try? ChildProgram([path, "-c", "import aiosmtpd.smtp"])
      if program?.waitForEndBlocking(seconds: 20) == .exited(0) { return path }
    }
    return nil
  }
}

private let python = Python.path

/// A real mail server on a free port.
private struct MailServer {
  let folder: TemporaryFolder
  let program: ChildProgram
  let port: Int

  init(_ options: [String] = []) async throws {
    let folder = try TemporaryFolder()
    if options.contains("--tls") {
      let result = try await ChildProgram.run(
        [
          "openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj",
          "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout",
          folder / "key.pem", "-out", folder / "cert.pem",
        ], timeout: .seconds(60))
      try #require(result.succeeded, "\(result)")
    }
    let script = SourceTree.path("Tests/LifeguardAgentTests/Notifiers/mail_server.py")
    program = try ChildProgram([try #require(python), script, folder.path] + options)
    self.folder = folder
    let file = folder / "port"
    try #require(await eventually { TextFile.exists(file) }, "\(program.standardError)")
    port = try #require(Int(try TextFile.read(file)))
  }

  var certificate: String { folder / "cert.pem" }

  func settings(
    _ security: EmailChannel.Security = .opportunistic, host: String = "127.0.0.1",
    username: String? = nil, trusts: Bool = true
  ) -> EmailChannel {
    EmailChannel(
      from: "Lifeguard <lifeguard@example.com>", to: ["ops@example.com", "Über <b@example.com>"],
      host: host, port: port, security: security, username: username,
      password: username.map { _ in Secret("correct horse") },
      certificateAuthority: trusts && TextFile.exists(certificate) ? certificate : nil)
  }

  func message(_ number: Int) throws -> String { try TextFile.read(folder / "\(number).eml") }

  func envelope(_ number: Int) throws -> JSON {
    try JSON.parse(try TextFile.bytes(folder / "\(number).json"))
  }

  /// What Python's own mail package reads from a message.
  func parsed(_ number: Int) async throws -> JSON {
    let script = """
      import email, email.policy, json, sys
      m = email.message_from_binary_file(open(sys.argv[1], "rb"), policy=email.policy.default)
      print(json.dumps({"subject": m["subject"], "from": m["from"], "to": m["to"], "id": m["message-id"],
        "reply": m["in-reply-to"], "defects": [str(d) for p in m.walk() for d in p.defects],
        "types": [p.get_content_type() for p in m.walk()], "date": m["date"],
        "names": [k.lower() for k in m.keys()],
        "text": m.get_body(("plain",)).get_content(), "html": m.get_body(("html",)).get_content()}))
      """
    let result = try await ChildProgram.run(
      [try #require(python), "-c", script, folder / "\(number).eml"], timeout: .seconds(20))
    try #require(result.succeeded, "\(result)")
    return try JSON.parse(Array(result.standardOutput.utf8))
  }
}

private func outgoing(_ announcement: Announcement, attempt: Int = 1) -> OutgoingMessage {
  OutgoingMessage(
    announcement, idempotencyKey: announcement.id, attempt: attempt, now: announcement.at)
}

@Suite(
  .enabled(if: python != nil, "needs python3 with aiosmtpd: run `scripts/setup.sh test`"),
  .timeLimit(.minutes(3)))
struct EmailNotifierTests {
  @discardableResult
  private func send(
    _ announcement: Announcement, _ settings: EmailChannel, attempt: Int = 1
  ) async throws(DeliveryError) -> String? {
    let notifier = EmailNotifier(
      settings, group: MultiThreadedEventLoopGroup.singleton, commandTimeout: .seconds(10))
    return try await notifier.send(
      outgoing(announcement, attempt: attempt), timeout: .seconds(30))
  }

  @Test func `a mail arrives whole, with a text part and an HTML part`() async throws {
    let server = try await MailServer()
    var news = announcement()
    news.title = "Übergröße 🚑 " + String(repeating: "lang ", count: 30)
    news.whatHappened = ".dot\n..dots = trailing \t\nFrom here"
    try await send(news, server.settings())
    let mail = try await server.parsed(1)
    #expect(mail["defects"]?.array?.isEmpty == true)
    let text = AnnouncementText(news)
    #expect(mail["subject"]?.string == text.subject)
    #expect(mail["text"]?.string == text.plain)
    #expect(mail["html"]?.string == text.html)
    #expect(mail["from"]?.string == "Lifeguard <lifeguard@example.com>")
    #expect(mail["to"]?.string == "ops@example.com, Über <b@example.com>")
    #expect(
      mail["types"]?.array?.compactMap(\.string) == [
        "multipart/alternative", "text/plain", "text/html",
      ])
    let envelope = try server.envelope(1)
    #expect(envelope["from"]?.string == "lifeguard@example.com")
    #expect(envelope["to"]?.array?.compactMap(\.string) == ["ops@example.com", "b@example.com"])
    #expect(try server.message(1).split(separator: "\r\n").allSatisfy { $0.utf8.count <= 78 })
  }

  @Test func `an incident is one thread, and a repetition has the same identifier`() async throws {
    let server = try await MailServer()
    let settings = server.settings()
    try await send(announcement(1), settings)
    try await send(announcement(2, .attemptFailed), settings)
    try await send(announcement(2, .attemptFailed), settings, attempt: 2)
    var mails: [JSON] = []
    for number in 1...3 { mails.append(try await server.parsed(number)) }
    #expect(mails[0]["reply"]?.isNull == true)
    #expect(mails[1]["reply"]?.string == mails[0]["id"]?.string)
    #expect(mails[2]["id"]?.string == mails[1]["id"]?.string)
    #expect(mails[1]["id"]?.string != mails[0]["id"]?.string)
    #expect(mails[0]["subject"]?.string == mails[1]["subject"]?.string)
  }

  @Test func `no text from outside adds a header`() async throws {
    let server = try await MailServer()
    var news = announcement()
    news.title = "x\r\nBcc: evil@example.com\r\n\r\nbody"
    news.severity = "\nX-Evil: 1"
    news.host = "h\r\nX-Evil: 2"
    try await send(news, server.settings())
    let names = try await server.parsed(1)["names"]?.array?.compactMap(\.string) ?? []
    #expect(!names.contains("bcc") && !names.contains("x-evil"))
    #expect(names.contains("auto-submitted"))
  }

  @Test func `STARTTLS is used when it is offered, and the certificate is verified`() async throws {
    let server = try await MailServer(["--tls", "starttls"])
    try await send(announcement(1), server.settings(.startTLS, host: "localhost"))
    try await send(announcement(2), server.settings(.opportunistic, host: "localhost"))
    #expect(try server.envelope(1)["tls"]?.bool == true)
    #expect(try server.envelope(2)["tls"]?.bool == true)
    let untrusted = server.settings(.startTLS, host: "localhost", trusts: false)
    let error = await #expect(throws: DeliveryError.self) {
      try await send(announcement(3), untrusted)
    }
    #expect(
      error?.reason.contains("TLS with the mail server failed") == true, "\(error?.reason ?? "")")
    // The certificate names localhost, not the address.
    await #expect(throws: DeliveryError.self) {
      try await send(announcement(3), server.settings(.startTLS, host: "127.0.0.1"))
    }
    #expect(!TextFile.exists(server.folder / "3.eml"))
  }

  @Test func `where nothing is secret, a certificate of the server's own making will do`()
    async throws
  {
    let server = try await MailServer(["--tls", "starttls", "--auth"])
    try await send(announcement(1), server.settings(trusts: false))
    #expect(try server.envelope(1)["tls"]?.bool == true)
    // A password never goes to a server that cannot prove who it is.
    let error = await #expect(throws: DeliveryError.self) {
      try await send(announcement(2), server.settings(username: "deploy", trusts: false))
    }
    #expect(error?.reason.contains("certificate_authority") == true, "\(error?.reason ?? "")")
    #expect(!TextFile.exists(server.folder / "2.eml"))
  }

  @Test func `a recipient that is refused beside others is named`() async throws {
    let server = try await MailServer(["--refuse", "b@example.com"])
    let leftOut = try await send(announcement(), server.settings())
    #expect(leftOut?.contains("b@example.com>: 550") == true, "\(leftOut ?? "nobody")")
    #expect(
      try server.envelope(1)["to"]?.array?.compactMap(\.string) == ["ops@example.com"])
  }

  @Test func `implicit TLS works`() async throws {
    let server = try await MailServer(["--tls", "implicit"])
    try await send(announcement(1), server.settings(.implicitTLS, host: "localhost"))
    #expect(try server.envelope(1)["tls"]?.bool == true)
  }

  @Test func `a server without STARTTLS is refused where TLS is required`() async throws {
    let server = try await MailServer()
    let error = await #expect(throws: DeliveryError.self) {
      try await send(announcement(), server.settings(.startTLS))
    }
    #expect(error?.isRetryable == false)
  }

  @Test(arguments: [["--auth"], ["--auth", "--login-only"]])
  func `the user name and password are accepted, a wrong one is not`(_ options: [String])
    async throws
  {
    let server = try await MailServer(options + ["--tls", "starttls"])
    try await send(
      announcement(1), server.settings(.startTLS, host: "localhost", username: "deploy"))
    #expect(try server.envelope(1)["authenticated"]?.bool == true)
    let error = await #expect(throws: DeliveryError.self) {
      try await send(
        announcement(2), server.settings(.startTLS, host: "localhost", username: "other"))
    }
    #expect(error?.isRetryable == true)
    #expect(error?.reason.contains("refuses the user name or password") == true)
    #expect(error?.reason.contains("correct horse") == false)
  }

  @Test func `a message that is refused for now is taken later`() async throws {
    let server = try await MailServer(["--fail", "1"])
    let error = await #expect(throws: DeliveryError.self) {
      try await send(announcement(), server.settings())
    }
    #expect(error?.isRetryable == true)
    #expect(error?.reason.contains("451") == true)
    try await send(announcement(), server.settings(), attempt: 2)
    #expect(TextFile.exists(server.folder / "1.eml"))
  }

  @Test func `a connection that breaks in the middle of the text is tried again`() async throws {
    let server = try await MailServer(["--drop", "1"])
    let error = await #expect(throws: DeliveryError.self) {
      try await send(announcement(), server.settings())
    }
    #expect(error?.isRetryable == true)
    #expect(!TextFile.exists(server.folder / "1.eml"))
    try await send(announcement(), server.settings(), attempt: 2)
    #expect(TextFile.exists(server.folder / "1.eml"))
  }

  @Test func `nobody listening is an error to retry`() async throws {
    let settings = EmailChannel(
      from: "a@example.com", to: ["b@example.com"], host: "127.0.0.1",
      port: try FreePort.tcp(), security: .opportunistic)
    let error = await #expect(throws: DeliveryError.self) {
      try await send(announcement(), settings)
    }
    #expect(error?.isRetryable == true)
  }
}
