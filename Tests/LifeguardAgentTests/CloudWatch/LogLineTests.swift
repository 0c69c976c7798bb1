import LifeguardAWS
import LifeguardConfiguration
import LifeguardCore
import Logging
import TestSupport
import Testing

@testable import LifeguardAgent

/// The lines that the Lambda function must be able to read: its own tests read the same file.
@Suite(.timeLimit(.minutes(1))) struct LogLineTests {
  static let golden = "Tests/BootstrapTests/Fixtures/agent-lines.txt"

  /// Two seconds of three metrics, one of them of two file systems.
  private static let series: [Labels] = [
    ["__name__": "CPUUtilization"], ["__name__": "MemoryUtilization"],
    ["__name__": "DiskUtilization", "mountpoint": "/"],
    ["__name__": "DiskUtilization", "mountpoint": "/var"],
  ]
  private static let values = [[90.4, 40, 12.5, 88.125], [92, 40, 12.5, 88.125]]

  private func lines(_ format: CloudLogSettings.Format) async throws -> [String] {
    let cloud = StubCloud()
    let server = try await ByteServer { cloud.answer($0) }
    let transport = AsyncHTTPTransport()
    let client = AWSClient(
      StubCloud.settings(server.address, ["AWS_EC2_METADATA_DISABLED": "true"]),
      transport: transport)
    let logger = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
    let context = InstanceContext(
      client: client, metadata: client.instanceMetadata, hostname: "web-1", names: [],
      logger: logger)
    await context.learn()
    var settings = CloudLogSettings()
    settings.format = format
    let publisher = LogPublisher(
      settings, cloudWatch: CloudWatchSettings(), context: context, client: client,
      clock: {
        Moment(
          wall: Timestamp(milliseconds: 1_795_420_900_000), boottime: .seconds(1000),
          bootID: "boot")
      }, logger: logger)
    for (second, values) in Self.values.enumerated() {
      let time = Timestamp(milliseconds: 1_795_420_800_000) + .seconds(second)
      let entries = values.enumerated().map { index, value in
        JournalEntry(
          reference: SeriesReference(slot: Int32(index), epoch: 1),
          sample: Sample(timestamp: time, value: value))
      }
      publisher.offer(entries) { (Self.series[Int($0.slot)], false) }
    }
    await publisher.finish(within: .seconds(20))
    #expect(cloud.calls("PutLogEvents").first?["logStreamName"] == "web-1")
    #expect(publisher.status.counts.sent == 1 && publisher.status.counts.failure == nil)
    await transport.shutdown()
    try await server.close()
    return cloud.lines
  }

  @Test func `lines are those that the function's tests read`() async throws {
    let written = try await lines(.json) + lines(.emf)
    let golden = try TextFile.read(SourceTree.path(Self.golden))
    #expect(written.map { $0 + "\n" }.joined() == golden)
  }
}
