/// A file of rule tests in promtool's format, read and ready to run.
///
/// Source: prometheus.io/docs/prometheus/latest/configuration/unit_testing_rules.
public struct RuleTestFile: Sendable {
  /// The groups of its `rule_files`, in the order of the files.
  public var groups: [RuleGroup] = []
  /// How often every group is evaluated, whatever its own interval says.
  public var evaluationInterval: Duration = .seconds(60)
  /// Groups named here are evaluated in this order.
  public var groupOrder: [String] = []
  /// Whether two numbers may differ in their last bit (`fuzzy_compare`).
  public var comparesLoosely = false
  public var tests: [RuleTest] = []

  public init() {}
}

/// One entry of `tests`: series, and what rules and expressions make of them.
public struct RuleTest: Sendable {
  /// An item of `alert_rule_test`: all alerts of a name that fire at a time.
  public struct AlertExpectation: Sendable {
    public var time: Duration
    public var alertName: String
    public var alerts: [ExpectedAlert]

    public init(time: Duration, alertName: String, alerts: [ExpectedAlert]) {
      self.time = time
      self.alertName = alertName
      self.alerts = alerts
    }
  }

  /// An item of `exp_alerts`; the label `alertname` goes without saying.
  public struct ExpectedAlert: Sendable {
    public var labels: [String: String]
    public var annotations: [String: String]

    public init(labels: [String: String], annotations: [String: String]) {
      self.labels = labels
      self.annotations = annotations
    }
  }

  /// An item of `promql_expr_test`.
  public struct ExpressionExpectation: Sendable {
    public var time: Duration
    public var expression: String
    /// Labels in the notation of series.
    public var samples: [(labels: String, value: Double)]

    public init(
      time: Duration, expression: String, samples: [(labels: String, value: Double)]
    ) {
      self.time = time
      self.expression = expression
      self.samples = samples
    }
  }

  /// An item of `recoveries`, which promtool does not know: the plan that would answer an alert.
  public struct RecoveryExpectation: Sendable {
    public var time: Duration
    public var alertName: String
    /// The alerts that are meant carry all of these labels.
    public var labels: [String: String]
    /// nil (`plan: none`): people are told, and nothing is run.
    public var plan: String?
    /// The mode in which the plan would run; nil does not matter.
    public var mode: Mode?

    public init(
      time: Duration, alertName: String, labels: [String: String], plan: String?, mode: Mode?
    ) {
      self.time = time
      self.alertName = alertName
      self.labels = labels
      self.plan = plan
      self.mode = mode
    }
  }

  public var name = ""
  /// The distance between two values of `input_series`.
  public var interval: Duration
  /// When the test begins; the epoch unless it says otherwise.
  public var start = Timestamp(milliseconds: 0)
  public var series: [SeriesDescription] = []
  public var alerts: [AlertExpectation] = []
  public var expressions: [ExpressionExpectation] = []
  public var recoveries: [RecoveryExpectation] = []
  public var externalLabels = Labels()
  public var externalURL = ""

  public init(interval: Duration) {
    self.interval = interval
  }

  /// The time of its last expectation: as long as rules are evaluated.
  var duration: Duration {
    max(
      alerts.map(\.time).max() ?? .zero, expressions.map(\.time).max() ?? .zero,
      recoveries.map(\.time).max() ?? .zero)
  }
}

/// What did not come out as a test expects.
public struct RuleTestFailure: Sendable {
  public enum Kind: String, Sendable {
    case alert
    case expression
    case recovery
    /// A rule that could not be evaluated, or series that cannot be loaded.
    case rule
  }

  public var kind: Kind
  /// The name of the test, empty when it has none.
  public var test: String
  /// The alert's name, the expression or the rule's name.
  public var subject: String
  public var time: Duration
  public var expected: String
  public var got: String
  /// The whole in promtool's words and indentation.
  public var text: String
}
