import Glibc
import LifeguardCore
import TestSupport
import Testing

/// The built function in the Runtime Interface Emulator, against moto: no container engine, and
/// nothing of the function replaced.
@Suite(.serialized, .enabled(if: EndToEnd.missing == nil, "\(EndToEnd.missing ?? "")"))
struct EndToEndTests {
  @Test func `a value in a subscribed log reaches a topic and a server, once`() async throws {
    let found = try await EndToEnd.run("chain")
    #expect(found.commands == 1, "\(found)")
    #expect(found.claims.contains { $0.contains("succeeded") }, "\(found)")
    #expect(found.outbox == 0)
    let notice = try #require(found.notices.first, "\(found)")
    #expect(notice["subject"]?.string == "[Warning] High Server Metric Alert")
    #expect(
      notice["message"]?["text"]?.string?.hasPrefix("Server Metric Alert: ") == true
        || notice["message"]?.string?.hasPrefix("Server Metric Alert: ") == true, "\(notice)")
    #expect(found.statuses.contains("duplicate"), "\(found)")
  }

  @Test func `the same event delivered again does nothing again`() async throws {
    let found = try await EndToEnd.run("twice")
    #expect(found.statuses == ["done", "duplicate", "duplicate"], "\(found)")
    #expect(found.commands == 1)
    #expect(found.claims.count == 1)
  }

  @Test func `sixteen deliveries at once act once`() async throws {
    let found = try await EndToEnd.run("concurrent")
    #expect(found.commands == 1, "\(found)")
    #expect(found.claims.count == 1)
    #expect(found.statuses.count { $0 == "done" } == 1, "\(found.statuses)")
    #expect(Set(found.statuses).isSubset(of: ["done", "duplicate", "held"]), "\(found)")
  }

  @Test func `killed before its action, it verifies instead of repeating`() async throws {
    let found = try await EndToEnd.run("killed")
    #expect(found.commands == 0, "\(found)")
    #expect(found.answers.last?["asked"]?.integer == 1, "\(found)")
    #expect(found.interrupted, "\(found)")
    #expect(found.phases.joined().contains("verifying"), "\(found)")
  }

  @Test func `what failed is posted again, twice, and done once`() async throws {
    let found = try await EndToEnd.run("retried")
    let first = try #require(found.answers.first)
    #expect(first["body"]?["errorType"]?.string == "Handler.Incomplete", "\(found)")
    // The second one sends the message that was left, and repeats nothing; the third finds it done.
    #expect(found.statuses == ["done", "duplicate"], "\(found)")
    #expect(found.commands == 1, "\(found)")
    #expect(!found.notices.isEmpty, "\(found)")
    #expect(found.outbox == 0)
  }

  @Test func `without files and without a table the local script runs once an event`()
    async throws
  {
    let found = try await EndToEnd.run("local")
    #expect(found.statuses.prefix(3) == ["ok", "done", "duplicate"], "\(found)")
    let trail = try #require(found.answers.last?["trail"]?.string)
    #expect(trail.split(separator: "\n").count == 1)
    #expect(!found.notices.isEmpty)
  }

  @Test func `what nobody should send ends nothing and starts nothing`() async throws {
    let found = try await EndToEnd.run("bad")
    #expect(found.statuses.dropLast().allSatisfy { $0 == "refused" }, "\(found.statuses)")
    #expect(found.statuses.last == "ok")
    #expect(found.commands == 0)
  }

  @Test func `a threshold that is no number ends the start and names the variable`() async throws {
    let found = try await EndToEnd.run("broken")
    #expect(found.log.contains("ALARM_THRESHOLD_CPU"), "\(found)")
    #expect(found.log.contains("not a number"))
  }
}

/// Runs scenarios of `cloud.py`.
enum EndToEnd {
  struct Found: CustomStringConvertible {
    var json: JSON

    var commands: Int64? { json["commands"]?.integer }
    var outbox: Int64? { json["outbox"]?.integer }
    var interrupted: Bool { json["interrupted"]?.bool ?? false }
    var claims: [String] { (json["claims"]?.array ?? []).map { $0.string ?? "" } }
    var notices: [JSON] { json["notices"]?.array ?? [] }
    var answers: [JSON] { json["answers"]?.array ?? [] }
    var phases: [[String]] {
      (json["phases"]?.array ?? []).map { $0.array?.compactMap(\.string) ?? [] }
    }
    var statuses: [String] { answers.compactMap { $0["body"]?["status"]?.string } }
    var log: String { json["log"]?.string ?? "" }
    var description: String { String(json.text(indented: true).prefix(20_000)) }
  }

  struct Failure: Error, CustomStringConvertible { var description: String }

  /// A Python with moto in it.
  private static var python: String? {
    // why: the test's own environment may name one.
    let given = getenv("LIFEGUARD_TEST_PYTHON").map { String(cString: $0) }
    let candidates = [given, SourceTree.path(".build/venv/bin/python3")].compactMap { $0 }
    return candidates.first { python in
      guard access(python, X_OK) == 0 else { return false }
      let folder = python.split(separator: "/").dropLast(2).joined(separator: "/")
      return library(of: "/" + folder, named: "moto") != nil
    }
  }

  private static var emulator: String? {
    // why: as above.
    let given = getenv("LIFEGUARD_TEST_RIE").map { String(cString: $0) }
    let package = library(of: SourceTree.path(".build/venv"), named: "samcli")
    let own = package.map { $0 + "/local/rapid/aws-lambda-rie-x86_64" }
    return [given, own].compactMap { $0 }.first { access($0, X_OK) == 0 }
  }

  private static func library(of environment: String, named name: String) -> String? {
    for minor in 9...15 {
      let path = "\(environment)/lib/python3.\(minor)/site-packages/\(name)"
      if access(path, R_OK) == 0 { return path }
    }
    return nil
  }

  static var missing: String? {
    if python == nil { return "needs moto: `scripts/setup.sh test` installs it" }
    if emulator == nil {
      return "needs the Lambda Runtime Interface Emulator: `scripts/setup.sh test` installs it"
    }
    return Program.bootstrap == nil ? "needs the bootstrap program built" : nil
  }

  static func run(_ scenario: String) async throws -> Found {
    guard let python, let emulator, let bootstrap = Program.bootstrap else {
      throw Failure(description: "missing")
    }
    let script = SourceTree.path("Tests/BootstrapTests/cloud.py")
    let result = try await ChildProgram.run(
      [python, script, scenario, bootstrap, emulator], timeout: .seconds(120))
    guard result.succeeded else {
      throw Failure(
        description: "\(scenario) with \(bootstrap): \(result.standardError.suffix(4000))")
    }
    let line = result.standardOutput.split(separator: "\n").last { $0.hasPrefix("{") } ?? ""
    return Found(json: try JSON.parse(String(line)))
  }
}
