import AsyncHTTPClient
import LifeguardAWS
import LifeguardCore
import Logging
import NIOCore

/// Makes the notifier for a channel of the configuration.
public struct NotifierFactory: Sendable {
  let client: HTTPClient
  private let group: any EventLoopGroup
  private let logger: Logger
  let aws: AWSClient?

  /// - Parameters:
  ///   - client: shared with the rest of the agent; made with `clientConfiguration`.
  ///   - group: for SMTP connections.
  ///   - logger: where the channel `log` writes.
  ///   - aws: what decides region and credentials of SNS; without it that channel has no notifier.
  public init(
    client: HTTPClient, group: any EventLoopGroup, logger: Logger, aws: AWSSettings? = nil
  ) {
    self.client = client
    self.aws = aws.map { AWSClient($0, transport: AsyncHTTPTransport(client: client)) }
    self.group = group
    self.logger = logger
  }

  /// Follows no redirect: a receiver must not be able to send messages on to another host.
  public static var clientConfiguration: HTTPClient.Configuration {
    var configuration = HTTPClient.Configuration(redirectConfiguration: .disallow)
    configuration.timeout = HTTPClient.Configuration.Timeout(connect: .seconds(5))
    configuration.httpVersion = .http1Only
    return configuration
  }

  /// Nil for SNS where nothing is known about AWS.
  public func notifier(for channel: LifeguardCore.Channel) -> (any Notifier)? {
    let post = HTTPPost(client: client)
    return switch channel {
    case .log: LogNotifier(logger: logger)
    case .webhook(let settings): WebhookNotifier(settings, post: post)
    case .slack(let settings): SlackNotifier(settings, post: post)
    case .email(let settings): EmailNotifier(settings, group: group)
    case .alertmanager(let settings): AlertmanagerNotifier(settings, post: post)
    case .sns(let settings): aws.map { SNSNotifier(settings, client: $0) }
    }
  }
}
