import LifeguardAWS
import LifeguardCore
import TestSupport
import Testing

/// A moto server that verifies keys, signatures and permissions, with what the tests need in it.
final class Moto: Sendable {
  /// The server of the suite that runs; nil outside of one.
  @TaskLocal static var current: Moto?

  let endpoint: String
  let facts: JSON
  private let program: ChildProgram

  private init(program: ChildProgram, endpoint: String, facts: JSON) {
    self.program = program
    self.endpoint = endpoint
    self.facts = facts
  }

  static func start() async throws -> Moto {
    let port = try FreePort.tcp()
    let endpoint = "http://127.0.0.1:\(port)"
    let program = try ChildProgram(
      [SourceTree.path(".build/venv/bin/moto_server"), "-H", "127.0.0.1", "-p", "\(port)"],
      environment: ["PYTHONDONTWRITEBYTECODE": "1"])
    guard await eventually(within: .seconds(90), { FreePort.answers(port) }) else {
      throw OracleError(description: "moto does not listen: \(program.standardError.suffix(2000))")
    }
    let facts = try await Oracle.run("moto_setup.py", [endpoint], timeout: .seconds(300))
    return Moto(program: program, endpoint: endpoint, facts: try JSON.parse(facts))
  }

  func stop() { program.kill() }

  func fact(_ name: String) throws -> String { try #require(facts[name]?.string) }

  func credentials(_ name: String) throws -> AWSCredentials {
    let user = try #require(facts[name])
    return AWSCredentials(
      accessKeyID: try #require(user["key"]?.string),
      secretAccessKey: Secret(try #require(user["secret"]?.string)))
  }

  /// Runs something as one of the users.
  func with<Result>(
    _ user: String = "allowed", _ body: (AWSClient) async throws -> Result
  ) async throws -> Result {
    try await with(StaticCredentials(try credentials(user)), body)
  }

  func with<Result>(
    _ source: any AWSCredentialSource, _ body: (AWSClient) async throws -> Result
  ) async throws -> Result {
    let transport = AsyncHTTPTransport()
    var client = AWSClient(
      AWSSettings(environment: ["AWS_ENDPOINT_URL": endpoint, "AWS_REGION": "eu-west-1"]),
      transport: transport, credentials: source)
    client.retry.attemptTimeout = .seconds(60)
    client.retry.callTimeout = .seconds(120)
    do {
      let result = try await body(client)
      await transport.shutdown()
      return result
    } catch {
      await transport.shutdown()
      throw error
    }
  }
}

/// One server for all tests of a suite.
struct MotoSuite: SuiteTrait, TestScoping {
  func provideScope(
    for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
  ) async throws {
    let moto = try await Moto.start()
    defer { moto.stop() }
    try await Moto.$current.withValue(moto) { try await function() }
  }
}

extension Trait where Self == MotoSuite {
  static var moto: Self { MotoSuite() }
}
