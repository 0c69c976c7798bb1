/// A named place to which messages go, by one or several channels.
public struct Receiver: Sendable {
  public var name: String
  public var channels: [Channel]
  /// At most this many messages in any window; what is beyond it is counted and named in the next
  /// message ("n suppressed").
  public var cap: UsageLimit
  public var location: SourceLocation?

  public init(
    name: String, channels: [Channel], cap: UsageLimit = UsageLimit(count: 30, per: .seconds(600)),
    location: SourceLocation? = nil
  ) {
    self.name = name
    self.channels = channels
    self.cap = cap
    self.location = location
  }
}

/// One way to reach people or programs.
public enum Channel: Sendable {
  case log
  case webhook(WebhookChannel)
  case slack(SlackChannel)
  case email(EmailChannel)
  case alertmanager(AlertmanagerChannel)
  case sns(SNSChannel)

  public var name: String {
    switch self {
    case .log: "log"
    case .webhook: "webhook"
    case .slack: "slack"
    case .email: "email"
    case .alertmanager: "alertmanager"
    case .sns: "sns"
    }
  }
}

/// The subject and text of a message; nil takes the built-in form.
public struct MessageTemplates: Sendable {
  public var subject: Template?
  public var prefix: String?
  public var text: Template?

  public init(subject: Template? = nil, prefix: String? = nil, text: Template? = nil) {
    self.subject = subject
    self.prefix = prefix
    self.text = text
  }
}

/// POSTs JSON.
public struct WebhookChannel: Sendable {
  public var url: Secret
  public var headers: [String: Secret]
  public var templates: MessageTemplates

  public init(url: Secret, headers: [String: Secret] = [:], templates: MessageTemplates = .init()) {
    self.url = url
    self.headers = headers
    self.templates = templates
  }
}

/// A Slack incoming webhook.
public struct SlackChannel: Sendable {
  public var webhook: Secret
  public var templates: MessageTemplates

  public init(webhook: Secret, templates: MessageTemplates = .init()) {
    self.webhook = webhook
    self.templates = templates
  }
}

/// Mail by SMTP (RFC 5321).
public struct EmailChannel: Sendable {
  /// How the connection is protected, which the URL's scheme says.
  public enum Security: String, Hashable, Sendable {
    /// `smtp://`: STARTTLS when the server offers it (RFC 3207), whoever it says it is.
    case opportunistic
    /// `smtp+starttls://`: STARTTLS or nothing.
    case startTLS
    /// `smtps://`: TLS from the first byte (RFC 8314).
    case implicitTLS
  }

  public var from: String
  public var to: [String]
  public var host: String
  public var port: Int
  public var security: Security
  public var username: String?
  public var password: Secret?
  /// PEM file of certificate authorities to trust beside the system's.
  public var certificateAuthority: String?
  public var templates: MessageTemplates

  /// Whether the server must prove who it is.
  ///
  /// Where a message would also go in the clear, encryption without proof is better than none
  /// (RFC 7435), and a mail server of the house has a certificate of its own making: refusing it
  /// would lose the message and protect nothing. A password never goes to a stranger.
  public var verifiesCertificate: Bool {
    security != .opportunistic || username != nil || certificateAuthority != nil
  }

  public init(
    from: String, to: [String], host: String, port: Int, security: Security,
    username: String? = nil, password: Secret? = nil, certificateAuthority: String? = nil,
    templates: MessageTemplates = .init()
  ) {
    self.from = from
    self.to = to
    self.host = host
    self.port = port
    self.security = security
    self.username = username
    self.password = password
    self.certificateAuthority = certificateAuthority
    self.templates = templates
  }
}

/// Alertmanager's API, version 2.
public struct AlertmanagerChannel: Sendable {
  /// Without `/api/v2/alerts`.
  public var url: Secret

  public init(url: Secret) {
    self.url = url
  }
}

/// An Amazon SNS topic.
public struct SNSChannel: Sendable {
  public var topicARN: String
  public var templates: MessageTemplates

  public init(topicARN: String, templates: MessageTemplates = .init()) {
    self.topicARN = topicARN
    self.templates = templates
  }
}
