import LifeguardAgent
import LifeguardCore
import TestSupport
import Testing

/// The status page in a real browser, which decides by itself what it says of a page's origin.
@Suite(
  .enabled(
    if: Requirement.all(.program("chromium"), .program("python3")).isMet,
    "needs chromium, which Ubuntu has as a snap only: `scripts/setup.sh test` installs it on Debian"
  ), .timeLimit(.minutes(3)))
struct BrowserTests {
  /// Opens the page by a fresh link, presses a button, and returns what came of it.
  private static func press(_ button: String, _ served: ServedAgent) async throws -> JSON {
    let link = try JSON.parse(Array(try await served.command("sign-in", "{}").body.utf8))
    let path = try #require(link["data"]?["path"]?.string)
    let result = try await ChildProgram.run(
      [
        "python3", SourceTree.path("Tests/LifeguardServerTests/browser.py"),
        try #require(Requirement.locate("chromium")), "http://127.0.0.1:\(served.port)\(path)",
        button,
      ], timeout: .seconds(90))
    try #require(result.succeeded, "\(result)")
    return try JSON.parse(Array(result.standardOutput.utf8))
  }

  @Test func `the buttons of the page do what they say`() async throws {
    let rules = "rules: [{alert: AlwaysOn, expr: vector(1)}]\n"
    try await ServedAgent.with("mode: auto\ndefault_rules: false\n" + rules) { served in
      #expect(await eventually { await !served.agent.incidents(limit: 1).isEmpty })
      let page = "http://127.0.0.1:\(served.port)/"

      let frozen = try await Self.press("form[action='/api/v1/freeze'] button", served)
      #expect(frozen["status"] == 303 && frozen["url"]?.string == page, "\(frozen)")
      #expect(await served.agent.status(listening: "").frozen?.contains("status page") == true)
      let thawed = try await Self.press("form[action='/api/v1/thaw'] button", served)
      #expect(thawed["status"] == 303, "\(thawed)")
      #expect(await served.agent.status(listening: "").frozen == nil)

      let taken = try await Self.press("form[action='/api/v1/ack'] button", served)
      #expect(taken["text"]?.string?.contains("page has it") == true, "\(taken)")
      let matcher = Matcher(name: "alertname", equals: "AlwaysOn")
      _ = await served.agent.silence([matcher], for: .seconds(60), by: "test", comment: "")
      let ended = try await Self.press("form[action='/api/v1/unsilence'] button", served)
      #expect(ended["status"] == 303, "\(ended)")
      #expect(await served.agent.status(listening: "").silences.isEmpty)
    }
  }
}
