import LifeguardAWS
import LifeguardAgent
import LifeguardCore
import TestSupport
import Testing

/// The whole way of an agent's metrics into services that check every key and signature.
@Suite(
  .timeLimit(.minutes(10)),
  .enabled(if: MotoServer.requirement.isMet, "\(MotoServer.requirement.reason)"))
struct MotoPublishTests {
  private static let names = [
    "CPUUtilization", "MemoryUtilization", "SwapUtilization", "DiskUtilization", "NetworkIn",
    "NetworkOut",
  ]

  /// What the alarms of the deployment look at is there: every metric under the instance alone, and
  /// a line a period in the instance's stream.
  @Test func `what an agent publishes by default is found where alarms and functions look`()
    async throws
  {
    let moto = try await MotoServer.start()
    defer { moto.stop() }
    let cloud = StubCloud()
    let metadata = try await ByteServer { cloud.answer($0) }
    let user = try #require(moto.facts["allowed"])
    let settings = StubCloud.settings(
      metadata.address,
      [
        "AWS_ENDPOINT_URL": moto.endpoint, "AWS_ACCESS_KEY_ID": user["key"]?.string ?? "",
        "AWS_SECRET_ACCESS_KEY": user["secret"]?.string ?? "",
      ])
    let transport = AsyncHTTPTransport()
    let client = AWSClient(settings, transport: transport)
    #expect(try await client.logs.createLogGroup("ServerMetricsLogGroup"))
    // Shorter periods than a server's, so that nobody waits for minutes.
    let configuration = """
      interval: 200ms
      aws:
        cloudwatch: {resolution: 1s, send_every: 2s}
        logs: {every: 2s}
      """
    try await WiredAgent.with(configuration, aws: settings) { wired in
      for kind in ["metrics", "logs"] {
        let hasSent = await eventually(within: .seconds(60)) {
          await wired.metric("lifeguard_cloudwatch_sent_total{kind=\"\(kind)\"}")! > 6
        }
        let progress = await wired.agent.cloudReport.progress
        #expect(hasSent, "\(progress)")
      }
    }
    let now = AWSClock.system.wall
    let found = try await client.cloudWatch.getMetricData(
      Self.names.enumerated().map { index, name in
        .metric(
          id: "m\(index)", namespace: "Lifeguard", name: name,
          dimensions: [MetricDimension("InstanceId", "i-0abc")], period: .seconds(60),
          statistic: "Maximum")
      }, from: now - .seconds(600), to: now + .seconds(60))
    #expect(found.results.count == Self.names.count)
    #expect(found.results.allSatisfy { !$0.points.isEmpty }, "\(found.results)")
    let lines = try await client.logs.filterLogEvents(
      group: "ServerMetricsLogGroup", streams: ["i-0abc"], from: now - .seconds(600),
      to: now + .seconds(60))
    #expect(!lines.events.isEmpty)
    for event in lines.events {
      let line = try JSON.parse(event.message)
      #expect(line["CPUUtilization"]?.double != nil || line["DiskUtilization"]?.double != nil)
    }
    await transport.shutdown()
    try await metadata.close()
  }
}
