import LifeguardCore

/// Everything that `lifeguard.yaml` and its rule files say, checked and resolved.
public struct Configuration: Sendable {
  public var mode: Mode = .observe
  /// Collection, and evaluation of inline rules.
  public var interval: Duration = .seconds(1)
  /// Rule groups without an interval of their own.
  public var evaluationInterval: Duration = .seconds(15)
  public var http = HTTPSettings()
  public var externalLabels: [String: String] = [:]
  /// nil: /var/lib/lifeguard as root, otherwise the XDG state directory.
  public var dataDirectory: String?
  public var services: [Service] = []
  /// Inline rules, evaluated every `interval`.
  public var rules: [AlertRule] = []
  /// From `rule_files` and the default pack.
  public var ruleGroups: [RuleGroup] = []
  /// The user's, in file order, then the default pack's.
  public var recoveries: [RecoveryEntry] = []
  public var plans: [String: Plan] = [:]
  public var receivers: [String: Receiver] = [:]
  public var routes: [Route] = []
  public var guardRails = GuardRailSettings()
  public var collect = CollectSettings()
  /// `remote_write`: where samples are sent.
  public var remoteWrite: [RemoteWriteSettings] = []
  /// `aws`; nil neither tells AWS anything nor listens to it.
  public var aws: CloudSettings?
  /// `default_rules: false` leaves the default pack out.
  public var usesDefaultRules = true
  /// What the variables of the zero-file use say; nil when a file was read or none is set.
  public var zeroFile: ZeroFile?
  /// Every file that was read, absolute, the main file first; those that decide what runs are
  /// checked for their owner and mode.
  public var files: [String] = []
  /// Where the keys stand that only a start looks at, by path such as `http.tls`: the checks of a
  /// start and of a reload name them.
  public var places: [String: SourceLocation] = [:]

  public init() {}

  /// Every plan by name: those under `plans`, and those written into a rule or a service.
  public var allPlans: [String: Plan] {
    let grouped = ruleGroups.flatMap(\.rules).compactMap { rule -> RecoveryChoice? in
      if case .alert(let rule) = rule { rule.recovery } else { nil }
    }
    let choices = rules.compactMap(\.recovery) + services.compactMap(\.plan) + grouped
    var all = plans
    for case .inline(let plan) in choices { all[plan.name] = plan }
    return all
  }
}

/// `listen:` and `http:`.
public struct HTTPSettings: Hashable, Sendable {
  public var host = "127.0.0.1"
  public var port = 9911
  /// Reading without a token, on loopback only.
  public var anonymousRead = false
  /// PEM files; both or neither.
  public var tlsCertificate: String?
  public var tlsKey: String?
  /// Who may come in with a name and a password, beside the token.
  public var users: [HTTPUser] = []
  /// Origins whose pages may read, such as `https://grafana.example.com`; none by default.
  public var corsOrigins: [String] = []
  /// Names that requests may be addressed to, beside the loopback's and the address listened on.
  public var allowedHosts: [String] = []
  /// Whether others may write samples to `/api/v1/write`.
  public var remoteWrite = false
  public var query = HTTPQuerySettings()

  public init() {}
}

/// `http.users[]`: basic authentication (RFC 7617).
public struct HTTPUser: Hashable, Sendable {
  /// What a user may do; each includes the one before.
  public enum Right: String, Hashable, Sendable, CaseIterable {
    /// Look at everything.
    case read
    /// And send samples to `/api/v1/write`.
    case write
    /// And steer the agent.
    case act
  }

  public var name: String
  public var password: Secret
  public var right: Right

  public init(name: String, password: Secret, right: Right = .read) {
    self.name = name
    self.password = password
    self.right = right
  }
}

/// `http.query`: the limits of queries; the defaults are Prometheus' but for the number at once and
/// the samples.
public struct HTTPQuerySettings: Hashable, Sendable {
  /// Queries that are evaluated at once, each on a thread of its own; more wait for their turn.
  ///
  /// Fewer than Prometheus' 20: this machine has other work to do.
  public var concurrency = 4
  /// How long a query may wait and run.
  public var timeout: Duration = .seconds(120)
  /// Samples that a query may hold at once, 16 bytes each.
  ///
  /// Fewer than Prometheus' 50 million, which are 800 MB: the kernel is told to spare the agent
  /// when memory runs out, so that what a query takes too much is taken from the services here.
  public var samplesMax = 10_000_000
  /// Points of one series in an answer.
  public var pointsMax = 11_000
  /// How long a sample stands for its series when no newer one has come.
  public var lookback: Duration = .seconds(300)

  public init() {}
}

/// `collect:`: what is sampled, and how often.
public struct CollectSettings: Hashable, Sendable {
  /// Collectors that are switched off.
  public var disabled: Set<String> = []
  /// Collectors with an interval of their own.
  public var intervals: [String: Duration] = [:]
  /// `process_groups`: groups of processes to watch by executable, and by user where given.
  public var processGroups: [ProcessGroup] = []
  /// `scrape`: exporters whose metrics are fetched.
  public var scrape: [ScrapeSettings] = []
  /// Series that may be kept in memory.
  public var seriesMax = 20_000
  /// How long samples stay in memory.
  public var memoryRetention: Duration = .seconds(3600)
  /// How long one-second samples stay on disk, and how large the samples' file may grow.
  public var diskRetention: Duration = .seconds(86_400)
  /// How long the figures of minutes and hours stay that take the place of expired samples; zero
  /// keeps none.
  public var minuteRetention: Duration = .seconds(30 * 86_400)
  public var hourRetention: Duration = .seconds(365 * 86_400)
  public var diskBytesMax: Int64 = 512 << 20

  public init() {}
}

/// A named group of processes under `collect.process_groups`.
public struct ProcessGroup: Hashable, Sendable {
  public var name: String
  public var executable: String
  public var user: String?

  public init(name: String, executable: String, user: String? = nil) {
    self.name = name
    self.executable = executable
    self.user = user
  }
}
