import LifeguardAWS
import LifeguardConfiguration
import LifeguardCore

/// Fetches `${ssm:/name}` and `${secretsmanager:name}` while a configuration is read.
enum RemoteSecrets {
  /// A configuration names few secrets; a start must not wait for ever for any of them.
  private static let secondsMax = 20

  /// The value, or why there is none, in the words that follow the reference.
  static func fetch(_ secret: RemoteSecret) -> Result<String, FileFailure> {
    let outcome = Blocking.wait(seconds: secondsMax + 2) { await value(secret) }
    return outcome ?? .failure(FileFailure("was not answered within \(secondsMax)s"))
  }

  private static func value(_ secret: RemoteSecret) async -> Result<String, FileFailure> {
    let transport = AsyncHTTPTransport()
    let client = AWSClient(AWSSettings(variable: Places.environment), transport: transport)
      .within(.seconds(secondsMax))
    let result: Result<String, FileFailure>
    do throws(AWSError) {
      result = try await text(secret, client)
    } catch {
      result = .failure(FileFailure("cannot be fetched: \(error)"))
    }
    await transport.shutdown()
    return result
  }

  private static func text(
    _ secret: RemoteSecret, _ client: AWSClient
  ) async throws(AWSError) -> Result<String, FileFailure> {
    switch secret {
    case .parameter(let name):
      return .success(try await client.ssm.parameter(name).value.revealed)
    case .secret(let name):
      guard let text = try await client.secretsManager.secretValue(name).text else {
        return .failure(FileFailure("is binary; keep it as text"))
      }
      return .success(text.revealed)
    }
  }
}
