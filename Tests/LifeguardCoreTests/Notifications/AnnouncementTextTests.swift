import Glibc
import LifeguardCore
import Testing

/// 2026-01-02 03:04:05.250 UTC.
private let noon = Timestamp(milliseconds: 1_767_323_045_250)

func exampleAnnouncement(_ kind: Announcement.Kind = .attemptFailed) -> Announcement {
  let ended: Timestamp? = kind.isFinal ? noon - .seconds(1) : nil
  return Announcement(
    incident: 17, sequence: 3, kind: kind, severity: "critical", title: "web is down",
    host: "web-01", externalLabels: ["region": "eu-west-1"], target: "service:web",
    alerts: [
      AnnouncedAlert(
        name: "ServiceDown",
        labels: ["alertname": "ServiceDown", "service": "web", "severity": "critical"],
        annotations: ["summary": "web does not answer on <http://127.0.0.1/health> & more"],
        value: 0, condition: "lifeguard_service_up < 1", startsAt: noon - .seconds(75),
        endsAt: ended),
      AnnouncedAlert(
        name: "CPUHigh",
        labels: ["alertname": "CPUHigh", "instance": "web-01", "severity": "warning"],
        value: 97.12345, condition: "CPUUtilization > 80", startsAt: noon - .seconds(200),
        endsAt: ended),
    ],
    since: noon - .seconds(75),
    whatHappened: "the HTTP probe of web failed 3 times: timed out after 1s",
    tried: [
      AnnouncedAttempt(
        at: noon - .seconds(70), rung: 1, step: "reload",
        outcome: "exited 0; not recovered: the probe still fails"),
      AnnouncedAttempt(
        at: noon - .seconds(30), rung: 2, step: "restart",
        outcome: "exited 1: <nginx> \"bad\" config & more"),
    ],
    result: kind.isFinal ? "symptom gone for 20s" : "restart did not help",
    next: kind.isFinal ? nil : "stop, clean and start web in 42s", mode: .auto,
    evidence: "load 12.5, 3 processes in state D\nlast log line: worker died", suppressed: 2,
    at: noon)
}

/// A message whose every text tries to break out of its format.
func hostileAnnouncement() -> Announcement {
  let evil = "a\r\nBcc: x@example.com\u{1B}[31m<script>&\"'<!channel> *b* \u{202E}é"
  var announcement = exampleAnnouncement(.opened)
  announcement.title = evil
  announcement.host = evil
  announcement.severity = evil
  announcement.target = evil
  announcement.whatHappened = evil
  announcement.result = evil
  announcement.next = evil
  announcement.evidence = evil
  announcement.frozen = evil
  announcement.acknowledgedBy = evil
  announcement.tried = [AnnouncedAttempt(at: noon, rung: 1, step: evil, outcome: evil)]
  announcement.alerts = [
    AnnouncedAlert(
      name: evil, labels: ["alertname": evil, "x": evil], annotations: ["summary": evil],
      value: .nan, condition: evil, startsAt: noon)
  ]
  return announcement
}

@Suite struct AnnouncementTextTests {
  @Test(arguments: Announcement.Kind.allCases)
  func `the plain text is the recorded one`(_ kind: Announcement.Kind) throws {
    let text = AnnouncementText(exampleAnnouncement(kind))
    try expectGolden(
      "\(kind.rawValue).txt", text.subject + "\n" + text.headline + "\n\n" + text.plain)
  }

  @Test(arguments: [Announcement.Kind.attemptFailed, .recovered])
  func `each other format is the recorded one`(_ kind: Announcement.Kind) throws {
    let text = AnnouncementText(exampleAnnouncement(kind))
    let name = kind.rawValue
    try expectGolden("\(name).html", text.html)
    try expectGolden("\(name).slack.json", text.slack.text(indented: true) + "\n")
    try expectGolden("\(name).webhook.json", text.webhook.text(indented: true) + "\n")
    let alerts = text.alertmanager(now: noon + .seconds(10), interval: .seconds(1))
    try expectGolden("\(name).alertmanager.json", alerts.text(indented: true) + "\n")
  }

  @Test func `what comes from outside is escaped in every format`() throws {
    let text = AnnouncementText(hostileAnnouncement())
    try expectGolden("hostile.txt", text.subject + "\n" + text.headline + "\n\n" + text.plain)
    try expectGolden("hostile.html", text.html)
    try expectGolden("hostile.slack.json", text.slack.text(indented: true) + "\n")
    for line in [text.subject, text.headline] {
      #expect(!line.unicodeScalars.contains { $0.value < 0x20 })
    }
    #expect(!text.plain.contains("\u{1B}") && !text.plain.contains("\r"))
    #expect(!text.html.contains("<script>") && !text.html.contains("\u{202E}"))
    // The header is of type plain_text, which Slack does not interpret.
    let blocks = text.slack["blocks"]?.array?.dropFirst().map { $0.text() } ?? []
    #expect(blocks.count == 2 && !blocks.joined().contains("<!channel>"))
    #expect(!text.plain.contains("\nBcc:"))
  }

  @Test func `every message says the seven things`() {
    for kind in Announcement.Kind.allCases {
      let plain = AnnouncementText(exampleAnnouncement(kind)).plain
      for part in [
        "What happened: ", "Since: ", "threshold lifeguard_service_up < 1", "value 97.12", "Tried:",
        "Result: ", "Next: ",
      ] {
        #expect(plain.contains(part), "\(kind): \(part)")
      }
      #expect(plain.contains("lifeguard ack 17") == !kind.isFinal)
      #expect(plain.contains("2 messages were suppressed before this one"))
    }
  }

  @Test func `subject, prefix and text follow the templates`() throws {
    let templates = MessageTemplates(
      subject: try Template(
        parsing: "{{ $status }}: {{ $labels.region }} {{ $title | toUpper }}\r\nBcc: x",
        variables: AnnouncementText.variables),
      prefix: "Server Metric Alert: ",
      text: try Template(
        parsing: "{{ $what }} ({{ printf \"%.1f\" $value }})", variables: AnnouncementText.variables
      ))
    let text = AnnouncementText(exampleAnnouncement(), templates: templates)
    #expect(text.subject == "NOT RECOVERED: eu-west-1 WEB IS DOWN␍ Bcc: x")
    #expect(
      text.plain
        == "Server Metric Alert: the HTTP probe of web failed 3 times: timed out after 1s (0.0)"
        + "\n\n2 messages were suppressed before this one\n")
  }

  @Test func `no template hides that messages were suppressed, and none says it twice`() throws {
    let line = "2 messages were suppressed before this one"
    for source in ["{{ $what }}", "{{ $suppressed }}: {{ $what }}", "{{ $text }}"] {
      let template = try Template(parsing: source, variables: AnnouncementText.variables)
      let text = AnnouncementText(
        exampleAnnouncement(), templates: MessageTemplates(text: template))
      #expect(text.plain.split(separator: line, omittingEmptySubsequences: false).count == 2)
      #expect(text.html.contains(line))
      #expect(text.slack["blocks"]?[0]?["text"]?["text"]?.string?.contains(line) == true)
      #expect(text.webhook["text"]?.string?.contains(line) == true)
    }
    var first = exampleAnnouncement()
    first.suppressed = 0
    let template = try Template(
      parsing: "{{ $what }}{{ $suppressed }}", variables: AnnouncementText.variables)
    let text = AnnouncementText(first, templates: MessageTemplates(text: template))
    #expect(text.plain == first.whatHappened)
  }

  @Test func `Slack makes neither links nor mentions of what others wrote`() {
    for block in AnnouncementText(hostileAnnouncement()).slack["blocks"]?.array ?? [] {
      for text in [block["text"]].compactMap(\.self) + (block["elements"]?.array ?? [])
      where text["type"] == "mrkdwn" {
        #expect(text["verbatim"] == true)
      }
    }
  }

  @Test func `a frozen agent says so and how to thaw it`() {
    var announcement = exampleAnnouncement()
    announcement.frozen = "deployment"
    let plain = AnnouncementText(announcement).plain
    #expect(plain.contains("FROZEN: deployment"))
    #expect(plain.contains("lifeguard thaw"))
  }

  @Test func `an announcement survives the queue`() throws {
    let bytes = try JSONCoder.encode(exampleAnnouncement())
    #expect(try JSONCoder.decode(Announcement.self, from: bytes) == exampleAnnouncement())
  }

  @Test func `ids differ between messages, incidents, hosts and lives of the state`() {
    var other = exampleAnnouncement()
    let first = other.id
    other.sequence += 1
    #expect(other.id != first && other.thread == exampleAnnouncement().thread)
    other = exampleAnnouncement()
    other.since = other.since + .seconds(1)
    #expect(other.thread != exampleAnnouncement().thread)
    #expect(exampleAnnouncement().id == first)
    #expect(!hostileAnnouncement().id.contains { $0.isWhitespace || $0 == "<" })
  }

  @Test func `a long message stays within the limits of Slack`() throws {
    var announcement = exampleAnnouncement()
    announcement.evidence = String(repeating: "&<>", count: 5000)
    announcement.title = String(repeating: "x", count: 500)
    let slack = AnnouncementText(announcement).slack
    let header = slack["blocks"]?[0]?["text"]?["text"]?.string ?? ""
    let section = slack["blocks"]?[1]?["text"]?["text"]?.string ?? ""
    #expect(header.unicodeScalars.count == 150)
    #expect(section.unicodeScalars.count <= 3000)
    #expect(!section.hasSuffix("&am…"))
  }
}

/// Compares with a file of the same name; `LIFEGUARD_UPDATE_GOLDEN=1` rewrites it instead.
func expectGolden(
  _ name: String, _ text: String, file: String = #filePath,
  sourceLocation: Testing.SourceLocation = #_sourceLocation
) throws {
  let folder = file.split(separator: "/").dropLast(2).joined(separator: "/")
  let path = "/\(folder)/Fixtures/announcements/\(name)"
  if getenv("LIFEGUARD_UPDATE_GOLDEN") != nil {
    let handle = try #require(fopen(path, "we"))
    defer { fclose(handle) }
    let bytes = Array(text.utf8)
    #expect(fwrite(bytes, 1, bytes.count, handle) == bytes.count)
    return
  }
  let handle = try #require(fopen(path, "re"), "\(path) is missing")
  defer { fclose(handle) }
  var bytes = [UInt8](repeating: 0, count: 1 << 20)
  bytes.removeSubrange(fread(&bytes, 1, bytes.count, handle)...)
  #expect(text == String(decoding: bytes, as: UTF8.self), sourceLocation: sourceLocation)
}
