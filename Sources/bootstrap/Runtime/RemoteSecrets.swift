import LifeguardAWS
import LifeguardConfiguration
import LifeguardCore

/// Fetches what a configuration only names.
struct RemoteSecrets: Sendable {
  let client: AWSClient
  /// Lambda gives a function 10 s to start.
  private static let limit: Duration = .seconds(5)

  func fetch(_ secret: RemoteSecret) async -> Result<String, FileFailure> {
    let client = client.within(Self.limit)
    do throws(AWSError) {
      switch secret {
      case .parameter(let name):
        return .success(try await client.ssm.parameter(name).value.revealed)
      case .secret(let name):
        guard let text = try await client.secretsManager.secretValue(name).text else {
          return .failure(FileFailure("holds no text"))
        }
        return .success(text.revealed)
      }
    } catch {
      return .failure(FileFailure("could not be fetched: \(error)"))
    }
  }
}
