import Glibc
import LifeguardAWS
import LifeguardAgent
import LifeguardConfiguration
import LifeguardCore
import LifeguardHost
import Logging
import TestSupport

/// A real agent in a private folder, without its HTTP server.
struct WiredAgent: Sendable {
  let agent: Agent
  let folder: TemporaryFolder
  private let file: String

  struct CouldNotRun: Error, CustomStringConvertible {
    var description: String
  }

  /// Runs `body` beside the agent and ends the agent after it, cleanly.
  ///
  /// - Parameter aws: where AWS is; without it the agent knows of none.
  static func with(
    _ configuration: String, in kept: TemporaryFolder? = nil, aws: AWSSettings? = nil,
    _ body: @escaping @Sendable (WiredAgent) async throws -> Void
  ) async throws {
    let folder = try kept ?? TemporaryFolder()
    defer { if kept == nil { folder.remove() } }
    let file = folder / "lifeguard.yaml"
    try TextFile.write("default_rules: false\n" + configuration, to: file)
    chmod(file, 0o600)
    let data = folder / "data"
    mkdir(data, 0o700)
    let loader = ConfigurationLoader(files: .system, environment: { _ in nil }, user: geteuid())
    let load: @Sendable () -> LoadedConfiguration = { loader.load(mainFile: file) }
    let loaded = load()
    guard let settings = loaded.configuration else {
      throw CouldNotRun(description: "\(loaded.problems)")
    }
    let logger = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
    let hands = try LocalHands(
      tools: try HandsTools(), configuration: settings, childLogs: "\(data)/children", load: load,
      isStopped: AgentRuntime.killSwitch(data), topProcesses: { "" })
    let runtime = try AgentRuntime(
      settings,
      AgentRuntime.Options(
        dataDirectory: data, configurationFile: file, version: "test", hands: hands, aws: aws,
        load: load),
      logger: logger)
    let wired = WiredAgent(agent: runtime.agent, folder: folder, file: file)
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { try await runtime.run() }
      guard await eventually({ await runtime.agent.isReady }) else {
        group.cancelAll()
        throw CouldNotRun(description: "the agent takes no turns")
      }
      do {
        try await body(wired)
      } catch {
        group.cancelAll()
        throw error
      }
      group.cancelAll()
      while !group.isEmpty {
        // Only the cancellation itself comes here.
        _ = try? await group.next()
      }
    }
  }

  /// Takes another configuration over.
  func reload(_ configuration: String) async throws {
    try TextFile.write("default_rules: false\n" + configuration, to: file)
    let problems = await agent.reload()
    guard problems.allSatisfy({ $0.severity != .error }) else {
      throw CouldNotRun(description: "\(problems)")
    }
  }

  /// The value of an expression that gives one element, now.
  func value(_ expression: String) async throws -> Double? {
    let now = await agent.now().wall
    guard case .vector(let elements) = try await agent.query(expression, at: now).value else {
      return nil
    }
    return elements.count == 1 ? elements[0].value : nil
  }

  /// The labels of every element, now.
  func labels(_ expression: String) async throws -> [Labels] {
    let now = await agent.now().wall
    guard case .vector(let elements) = try await agent.query(expression, at: now).value else {
      return []
    }
    return elements.map(\.labels)
  }

  /// A figure of `/metrics`, with its labels as they are written.
  func metric(_ line: String) async -> Double? {
    let text = String(decoding: await agent.metrics(.prometheusText), as: UTF8.self)
    return text.split(separator: "\n").first { $0.hasPrefix(line + " ") }
      .flatMap { Double($0.dropFirst(line.count + 1)) }
  }
}
