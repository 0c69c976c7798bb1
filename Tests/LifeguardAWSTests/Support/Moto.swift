import LifeguardAWS
import LifeguardCore
import TestSupport
import Testing

/// A moto server that verifies keys, signatures and permissions, with what the tests need in it.
final class Moto: Sendable {
  /// The server of the suite that runs; nil outside of one.
  @TaskLocal static var current: Moto?

  private let server: MotoServer

  var endpoint: String { server.endpoint }
  var facts: JSON { server.facts }

  private init(_ server: MotoServer) { self.server = server }

  static func start() async throws -> Moto { Moto(try await MotoServer.start()) }

  func stop() { server.stop() }

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
