import LifeguardCore
import NIOCore
import NIOPosix
import NIOSSL

/// Sends mail by SMTP (RFC 5321), one connection a message.
struct EmailNotifier: Notifier {
  private let settings: EmailChannel
  private let group: any EventLoopGroup
  /// For one answer of the server; the whole delivery has a limit of its own.
  private let commandTimeout: Duration

  init(
    _ settings: EmailChannel, group: any EventLoopGroup, commandTimeout: Duration = .seconds(20)
  ) {
    self.settings = settings
    self.group = group
    self.commandTimeout = commandTimeout
  }

  func send(_ message: OutgoingMessage, timeout: Duration) async throws(DeliveryError) -> String? {
    let text = AnnouncementText(message.announcement, templates: settings.templates)
    let mail = MailMessage(text, from: settings.from, to: settings.to)
    let tls: NIOSSLContext
    do {
      tls = try NIOSSLContext(configuration: tlsConfiguration)
    } catch {
      throw DeliveryError(
        retryable: true,
        "certificate authorities cannot be read"
          + (settings.certificateAuthority.map { " from \($0)" } ?? "") + "; check the file")
    }
    let result = group.any().makePromise(of: String?.self)
    let limit = TimeAmount.milliseconds(max(timeout.milliseconds, 1))
    let channel: any NIOCore.Channel
    do {
      channel = try await bootstrap(mail, message.attempt, tls, result, limit)
        .connect(host: settings.host, port: settings.port).get()
    } catch {
      let failure = DeliveryError(
        retryable: true,
        "the mail server \(settings.host):\(settings.port) cannot be reached: "
          + TextEscape.line(String("\(error)".prefix(120))))
      result.fail(failure)
      throw failure
    }
    let overall = channel.eventLoop.scheduleTask(in: limit) {
      result.fail(DeliveryError(retryable: true, "the mail server took too long"))
      channel.close(promise: nil)
    }
    defer { overall.cancel() }
    do {
      return try await withTaskCancellationHandler {
        try await result.futureResult.get()
      } onCancel: {
        channel.close(promise: nil)
      }
    } catch {
      throw error as? DeliveryError
        ?? DeliveryError(retryable: true, TextEscape.line(String("\(error)".prefix(120))))
    }
  }

  private func bootstrap(
    _ mail: MailMessage, _ attempt: Int, _ tls: NIOSSLContext, _ result: EventLoopPromise<String?>,
    _ limit: TimeAmount
  ) -> ClientBootstrap {
    let settings = settings
    let pause = min(TimeAmount.milliseconds(max(commandTimeout.milliseconds, 1)), limit)
    return ClientBootstrap(group: group)
      .connectTimeout(min(limit, .seconds(10)))
      .channelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          let makeTLS = {
            // An address has no name to send; it is compared with the certificate's addresses.
            try NIOSSLClientHandler(
              context: tls,
              serverHostname: Self.isAddress(settings.host) ? nil : settings.host)
          }
          let isImplicit = settings.security == .implicitTLS
          if isImplicit { try channel.pipeline.syncOperations.addHandler(makeTLS()) }
          let conversation = SMTPConversation(
            settings, mail: mail, clientName: Self.clientName(mail),
            isLoopback: Self.isLoopback(settings.host), attempt: attempt)
          try channel.pipeline.syncOperations.addHandler(
            SMTPHandler(
              conversation, isImplicitTLS: isImplicit, commandTimeout: pause, result: result,
              makeTLS: makeTLS))
        }
      }
  }

  private var tlsConfiguration: TLSConfiguration {
    var configuration = TLSConfiguration.makeClientConfiguration()
    configuration.minimumTLSVersion = .tlsv12
    if !settings.verifiesCertificate { configuration.certificateVerification = .none }
    if let file = settings.certificateAuthority {
      configuration.additionalTrustRoots = [.file(file)]
    }
    return configuration
  }

  /// What EHLO says: the domain of the message's own identifier.
  private static func clientName(_ mail: MailMessage) -> String {
    String(mail.messageID.split(separator: "@").last ?? "localhost")
  }

  private static func isAddress(_ host: String) -> Bool {
    (try? SocketAddress(ipAddress: host, port: 0)) != nil  // an error means: a name
  }

  private static func isLoopback(_ host: String) -> Bool {
    host == "localhost" || host == "::1" || (isAddress(host) && host.hasPrefix("127."))
  }
}
