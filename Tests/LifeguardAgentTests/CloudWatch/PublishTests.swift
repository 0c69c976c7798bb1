import LifeguardAWS
import LifeguardAgent
import LifeguardCore
import Synchronization
import TestSupport
import Testing

/// A running agent's metrics and lines on their way to CloudWatch.
@Suite(.timeLimit(.minutes(3))) struct PublishTests {
  private static let names = [
    "CPUUtilization", "DiskUtilization", "MemoryUtilization", "NetworkIn", "NetworkOut",
    "SwapUtilization",
  ]

  /// A hundredth of a minute's wait: high resolution, sent every second.
  private static let quick = """
    interval: 200ms
    aws:
      cloudwatch: {resolution: 1s, send_every: 1s}
      logs: {every: 1s}
    """

  @Test func `every metric arrives under the instance alone and under its group`() async throws {
    let cloud = StubCloud()
    let server = try await ByteServer { cloud.answer($0) }
    try await WiredAgent.with(Self.quick, aws: StubCloud.settings(server.address)) { wired in
      #expect(
        await eventually {
          let own = cloud.data.filter { $0.dimensions == ["InstanceId=i-0abc"] }
          return Set(own.compactMap { $0["MetricName"]?.string }) == Set(Self.names)
        })
      #expect(cloud.data.contains { $0.dimensions == ["AutoScalingGroupName=web"] })
      #expect(
        cloud.data.allSatisfy {
          ["InstanceId=i-0abc", "AutoScalingGroupName=web"].contains($0.dimensions.first)
        })
      #expect(cloud.data.allSatisfy { $0["StorageResolution"]?.integer == 1 })
      let percent = cloud.data.filter { $0["MetricName"] == "DiskUtilization" }
      #expect(percent.allSatisfy { $0["Unit"] == "Percent" })
      #expect(cloud.calls("PutMetricData").allSatisfy { $0["Namespace"] == "Lifeguard" })
      #expect(
        await eventually {
          await wired.metric("lifeguard_cloudwatch_sent_total{kind=\"metrics\"}")! > 0
        })
      #expect(await wired.metric("lifeguard_cloudwatch_dropped_total{kind=\"metrics\"}") == 0)
      let report = await wired.agent.cloudReport
      #expect(report.isCounted && report.use.metrics == 6 && report.use.dimensionSets == 2)
      #expect(report.dimensions == ["InstanceId=i-0abc", "AutoScalingGroupName=web"])
      #expect(report.cost.customMetrics == 12)
    }
    try await server.close()
  }

  @Test func `lines go to a stream of the instance, which is made, into a group, which is not`()
    async throws
  {
    let cloud = StubCloud()
    let server = try await ByteServer { cloud.answer($0) }
    try await WiredAgent.with(Self.quick, aws: StubCloud.settings(server.address)) { _ in
      #expect(await eventually { cloud.lines.count > 2 })
    }
    try await server.close()
    #expect(cloud.calls("CreateLogStream").count == 1)
    #expect(cloud.calls("CreateLogGroup").isEmpty)
    let first = try #require(cloud.calls("PutLogEvents").first)
    #expect(first["logGroupName"] == "ServerMetricsLogGroup")
    #expect(first["logStreamName"] == "i-0abc")
    let last = try JSON.parse(try #require(cloud.lines.last))
    #expect(Set(Self.names).isSuperset(of: last.object?.keys ?? []))
    #expect(last["CPUUtilization"]?.double != nil)
  }

  @Test func `outside of EC2 metrics go under the host's name`() async throws {
    let cloud = StubCloud()
    let server = try await ByteServer { cloud.answer($0) }
    let settings = StubCloud.settings(server.address, ["AWS_EC2_METADATA_DISABLED": "true"])
    try await WiredAgent.with(Self.quick, aws: settings) { _ in
      #expect(await eventually { !cloud.data.isEmpty && !cloud.lines.isEmpty })
      #expect(cloud.data.allSatisfy { $0.dimensions.count == 1 })
      #expect(cloud.data.allSatisfy { $0.dimensions.first?.hasPrefix("host=") == true })
    }
    try await server.close()
  }

  @Test func `dimensions that this instance does not have make no metrics`() async throws {
    let cloud = StubCloud()
    let server = try await ByteServer { cloud.answer($0) }
    let configuration = """
      interval: 200ms
      aws:
        cloudwatch:
          resolution: 1s
          send_every: 1s
          metrics: [{series: node_load1, name: Load, unit: Count}]
          dimensions: [[InstanceId, InstanceType], ['tag:Role'], ['tag:Nobody']]
      """
    try await WiredAgent.with(configuration, aws: StubCloud.settings(server.address)) { _ in
      #expect(await eventually { cloud.data.count > 3 })
    }
    try await server.close()
    #expect(
      Set(cloud.data.map(\.dimensions))
        == [["InstanceId=i-0abc", "InstanceType=t3.micro"], ["Role=front"]])
    #expect(cloud.data.allSatisfy { $0["MetricName"] == "Load" && $0["Unit"] == "Count" })
  }

  @Test func `while the network is away data wait within their limit, and none comes twice`()
    async throws
  {
    let cloud = StubCloud()
    let metadata = try await ByteServer { cloud.answer($0) }
    let port = try FreePort.tcp()
    let configuration = """
      interval: 200ms
      aws:
        cloudwatch:
          {resolution: 1s, send_every: 1s, spool: 100, dimensions: [[InstanceId]],
           metrics: [CPUUtilization, MemoryUtilization]}
      """
    let settings = StubCloud.settings(
      metadata.address, ["AWS_ENDPOINT_URL": "http://127.0.0.1:\(port)"])
    try await WiredAgent.with(configuration, aws: settings) { wired in
      let waiting = "lifeguard_cloudwatch_waiting{kind=\"metrics\"}"
      // Counted after an upload was given up, with all its retries.
      #expect(await eventually(within: .seconds(60)) { await wired.metric(waiting)! >= 4 })
      #expect(cloud.data.isEmpty)
      let server = try await ByteServer(port: port) { cloud.answer($0) }
      #expect(await eventually(within: .seconds(60)) { cloud.data.count >= 12 })
      #expect(await eventually(within: .seconds(60)) { await wired.metric(waiting) == 0 })
      #expect(await wired.metric("lifeguard_cloudwatch_dropped_total{kind=\"metrics\"}") == 0)
      try await server.close()
    }
    try await metadata.close()
    let places = cloud.data.map {
      "\($0["MetricName"]?.string ?? "") \($0["Timestamp"]?.text() ?? "")"
    }
    #expect(Set(places).count == places.count)
  }

  @Test func `a missing permission keeps data waiting and is told in the report`() async throws {
    let cloud = StubCloud()
    cloud.state.withLock { $0.status = 403 }
    let server = try await ByteServer { cloud.answer($0) }
    try await WiredAgent.with(Self.quick, aws: StubCloud.settings(server.address)) { wired in
      #expect(
        await eventually(within: .seconds(40)) {
          let progress = await wired.agent.cloudReport.progress.first { $0.kind == "metrics" }
          return progress?.failure?.contains("access denied") == true
            && (progress?.waiting ?? 0) > 0
        })
      // Somebody gives the permission.
      cloud.state.withLock { $0.status = 200 }
      #expect(await eventually(within: .seconds(60)) { !cloud.data.isEmpty })
    }
    try await server.close()
  }

  @Test func `a reload begins and ends publishing`() async throws {
    let cloud = StubCloud()
    let server = try await ByteServer { cloud.answer($0) }
    let settings = StubCloud.settings(server.address)
    try await WiredAgent.with("interval: 200ms\n", aws: settings) { wired in
      let before = await wired.agent.cloudReport
      #expect(before.namespace == nil)
      try await wired.reload(Self.quick)
      #expect(await eventually { !cloud.data.isEmpty })
      // A minute's period is under way when the reload comes: it is sent, not lost.
      try await wired.reload("interval: 200ms\naws: {cloudwatch: {namespace: Slow}}\n")
      #expect(
        await eventually {
          let report = await wired.agent.cloudReport
          return report.isCounted && report.namespace == "Slow"
        })
      try await wired.reload("interval: 200ms\n")
      #expect(
        await eventually {
          cloud.calls("PutMetricData").contains { $0["Namespace"] == "Slow" }
        })
    }
    try await server.close()
  }
}
