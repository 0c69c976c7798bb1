import Glibc
import LifeguardCore
import TestSupport
import Testing

/// What the command does about AWS.
@Suite(.enabled(if: Requirement.lifeguard.isMet, "\(Requirement.lifeguard.reason)"))
struct CloudTests {
  private static let python = Requirement.program("python3")

  @Test(.enabled(if: python.isMet, "\(python.reason)"), .timeLimit(.minutes(2)))
  func `what waits for CloudWatch is sent when the agent is told to stop`() async throws {
    let cloud = try ChildProgram(
      ["python3", SourceTree.path("Tests/CommandTests/cloud.py")],
      environment: ["PYTHONDONTWRITEBYTECODE": "1"])
    defer { cloud.kill() }
    #expect(await eventually { !cloud.standardOutput.isEmpty })
    let port = cloud.standardOutput.prefix { $0.isNumber }
    // An hour's periods: nothing is complete before the end.
    let configuration = """
      default_rules: false
      aws:
        cloudwatch: {resolution: 60m, send_every: 1h}
        logs: {every: 1h}

      """
    let agent = try await RunningAgent(
      configuration,
      environment: [
        "AWS_ENDPOINT_URL": "http://127.0.0.1:\(port)", "AWS_REGION": "eu-west-1",
        "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_EC2_METADATA_DISABLED": "true",
      ])
    #expect(
      await eventually {
        let report = try await agent.json(["explain", "aws"])
        return report["isCounted"] == true && report["use"]?["metrics"]?.integer == 6
      })
    let shown = try await agent.command(["explain", "aws"])
    #expect(shown.succeeded && shown.standardOutput.contains("USD a month"), "\(shown)")
    #expect(actions(cloud).isEmpty)
    await agent.end()
    #expect(agent.program.hasEnded == .exited(0))
    #expect(actions(cloud).contains("PutMetricData") && actions(cloud).contains("PutLogEvents"))
  }

  private func actions(_ cloud: ChildProgram) -> [String] {
    cloud.standardOutput.split(separator: "\n").dropFirst().compactMap { line in
      // A line that is not whole yet is read the next time.
      (try? JSON.parse(String(line)))?["action"]?.string
    }
  }

  @Test func `the cost of a configuration is calculated without an agent`() async throws {
    let lifeguard = try #require(Program.lifeguard)
    let folder = try TemporaryFolder()
    defer { folder.remove() }
    let file = folder / "lifeguard.yaml"
    try TextFile.write(
      "aws: {cloudwatch: {dimensions: [[InstanceId]]}, logs: {}}\n", to: file, mode: 0o600)
    let shown = try await ChildProgram.run([lifeguard, "explain", "aws", "--config", file])
    #expect(shown.succeeded, "\(shown)")
    #expect(shown.standardOutput.contains("6 metrics = 6 x 1 sets"))
    #expect(shown.standardOutput.contains("43800 requests"))
    #expect(shown.standardOutput.contains("metrics 1.8000, requests 0.4380"))
    let json = try await ChildProgram.run(
      [lifeguard, "explain", "aws", "--json", "--config", file])
    let report = try JSON.parse(json.standardOutput)
    #expect(report["cost"]?["customMetrics"]?.integer == 6)
    #expect(report["cost"]?["dollars"]?.double ?? 0 > 2.2)
    try TextFile.write("aws: {cloudwatch: {spool: 1}}\n", to: file, mode: 0o600)
    let broken = try await ChildProgram.run([lifeguard, "explain", "aws", "--config", file])
    #expect(broken.end == .exited(1) && broken.standardError.contains("\"spool\""))
    let misused = try await ChildProgram.run([lifeguard, "explain", "CPUHigh", "--config", file])
    #expect(!misused.succeeded && misused.standardError.contains("explain aws"))
  }
}
