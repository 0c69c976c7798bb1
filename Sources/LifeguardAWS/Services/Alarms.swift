import LifeguardCore

/// An alarm's state.
public enum AlarmState: String, Hashable, Sendable {
  case ok = "OK"
  case alarm = "ALARM"
  case insufficientData = "INSUFFICIENT_DATA"
}

/// What both kinds of alarms have.
public struct AlarmStatus: Hashable, Sendable {
  public var state: AlarmState?
  public var reason: String?
  /// JSON that the evaluation wrote.
  public var reasonData: String?
  public var updated: Timestamp?
  /// When the state itself changed, not only its reason.
  public var transitioned: Timestamp?

  init(_ json: JSON) {
    state = json["StateValue"]?.string.flatMap(AlarmState.init)
    reason = json["StateReason"]?.string
    reasonData = json["StateReasonData"]?.string
    updated = json["StateUpdatedTimestamp"]?.timestamp
    transitioned = json["StateTransitionedTimestamp"]?.timestamp
  }
}

/// What an alarm does when its state changes: ARNs of topics, functions, policies.
public struct AlarmActions: Hashable, Sendable {
  public var isEnabled = true
  public var alarm: [String] = []
  public var ok: [String] = []
  public var insufficientData: [String] = []

  /// No actions.
  public init() {}

  init(_ json: JSON) {
    isEnabled = json["ActionsEnabled"]?.bool ?? true
    alarm = json["AlarmActions"]?.strings ?? []
    ok = json["OKActions"]?.strings ?? []
    insufficientData = json["InsufficientDataActions"]?.strings ?? []
  }
}

/// An alarm on a metric or on metric math.
public struct MetricAlarm: Hashable, Sendable {
  public var name: String
  public var arn: String
  public var description: String?
  public var actions: AlarmActions
  public var status: AlarmStatus
  /// Nil for metric math, whose queries stand in `metrics`.
  public var metricName: String?
  public var namespace: String?
  public var statistic: String?
  /// A percentile, `p99`.
  public var extendedStatistic: String?
  public var unit: String?
  public var dimensions: [MetricDimension]
  public var period: Duration?
  public var evaluationPeriods: Int
  /// The M of M out of N; nil for all of them.
  public var datapointsToAlarm: Int?
  public var threshold: Double?
  /// `GreaterThanOrEqualToThreshold` …
  public var comparison: String?
  /// `missing`, `ignore`, `breaching` or `notBreaching`.
  public var treatMissingData: String?
  public var metrics: [JSON]

  public var state: AlarmState? { status.state }

  init(_ json: JSON) {
    name = json["AlarmName"]?.string ?? ""
    arn = json["AlarmArn"]?.string ?? ""
    description = json["AlarmDescription"]?.string
    actions = AlarmActions(json)
    status = AlarmStatus(json)
    metricName = json["MetricName"]?.string
    namespace = json["Namespace"]?.string
    statistic = json["Statistic"]?.string
    extendedStatistic = json["ExtendedStatistic"]?.string
    unit = json["Unit"]?.string
    dimensions = (json["Dimensions"]?.array ?? []).compactMap { MetricDimension($0) }
    period = json["Period"]?.integer.map { .seconds($0) }
    evaluationPeriods = Int(json["EvaluationPeriods"]?.integer ?? 0)
    datapointsToAlarm = json["DatapointsToAlarm"]?.integer.map(Int.init)
    threshold = json["Threshold"]?.double
    comparison = json["ComparisonOperator"]?.string
    treatMissingData = json["TreatMissingData"]?.string
    metrics = json["Metrics"]?.array ?? []
  }
}

/// An alarm over other alarms.
public struct CompositeAlarm: Hashable, Sendable {
  public var name: String
  public var arn: String
  public var description: String?
  /// `ALARM("a") AND NOT ALARM("b")`.
  public var rule: String
  public var actions: AlarmActions
  public var status: AlarmStatus
  /// Set while another alarm keeps the actions from running: do not act.
  public var actionsSuppressedBy: String?

  public var state: AlarmState? { status.state }

  init(_ json: JSON) {
    name = json["AlarmName"]?.string ?? ""
    arn = json["AlarmArn"]?.string ?? ""
    description = json["AlarmDescription"]?.string
    rule = json["AlarmRule"]?.string ?? ""
    actions = AlarmActions(json)
    status = AlarmStatus(json)
    actionsSuppressedBy = json["ActionsSuppressedBy"]?.string
  }
}

/// Alarms of both kinds.
public struct AlarmList: Hashable, Sendable {
  public var metricAlarms: [MetricAlarm] = []
  public var compositeAlarms: [CompositeAlarm] = []
  /// Whether every page was read.
  public var isComplete = false

  /// No alarms.
  public init() {}
}

/// An alarm on one metric, as it is to be.
public struct AlarmDefinition: Hashable, Sendable {
  public var name: String
  public var namespace: String
  public var metricName: String
  public var dimensions: [MetricDimension]
  public var threshold: Double
  public var description: String?
  /// `Average`, `Sum`, `Minimum`, `Maximum` or `SampleCount`.
  public var statistic = "Average"
  public var period: Duration = .seconds(60)
  public var evaluationPeriods = 1
  /// The M of M out of N; nil for all of them.
  public var datapointsToAlarm: Int?
  public var comparison = "GreaterThanOrEqualToThreshold"
  /// `missing`, `ignore`, `breaching` or `notBreaching`.
  public var treatMissingData = "missing"
  public var unit: String?
  public var actions = AlarmActions()

  /// An alarm when the average of a minute is at or above the threshold, unless changed.
  public init(
    name: String, namespace: String, metricName: String, dimensions: [MetricDimension] = [],
    threshold: Double
  ) {
    self.name = name
    self.namespace = namespace
    self.metricName = metricName
    self.dimensions = dimensions
    self.threshold = threshold
  }

  var json: JSON {
    var input = JSONObject()
    input["AlarmName"] = .string(name)
    input["AlarmDescription"] = description.map(JSON.string)
    input["ActionsEnabled"] = .bool(actions.isEnabled)
    if !actions.ok.isEmpty { input["OKActions"] = JSON(strings: actions.ok) }
    if !actions.alarm.isEmpty { input["AlarmActions"] = JSON(strings: actions.alarm) }
    if !actions.insufficientData.isEmpty {
      input["InsufficientDataActions"] = JSON(strings: actions.insufficientData)
    }
    input["MetricName"] = .string(metricName)
    input["Namespace"] = .string(namespace)
    input["Statistic"] = .string(statistic)
    if !dimensions.isEmpty { input["Dimensions"] = .array(dimensions.map(\.json)) }
    input["Period"] = .integer(period.components.seconds)
    input["Unit"] = unit.map(JSON.string)
    input["EvaluationPeriods"] = .integer(Int64(evaluationPeriods))
    input["DatapointsToAlarm"] = datapointsToAlarm.map { .integer(Int64($0)) }
    input["Threshold"] = .number(threshold)
    input["ComparisonOperator"] = .string(comparison)
    input["TreatMissingData"] = .string(treatMissingData)
    return .object(input)
  }
}
