import LifeguardCore

/// `aws:`: what an agent in AWS tells CloudWatch, and what it listens for.
public struct CloudSettings: Hashable, Sendable {
  /// `cloudwatch`; nil publishes no metrics.
  public var cloudWatch: CloudWatchSettings?
  /// `logs`; nil writes no log lines.
  public var logs: CloudLogSettings?
  public var termination = TerminationSettings()

  public init() {}

  /// What is published: the metrics of `cloudwatch`, or the usual ones for a log alone.
  public var metrics: [CloudMetric] { cloudWatch?.metrics ?? CloudMetric.usual }
}

/// `aws.cloudwatch`.
public struct CloudWatchSettings: Hashable, Sendable {
  /// The namespace that the alarms of the deployment look into.
  public static let usualNamespace = "Lifeguard"
  /// The first is what alarms of one server name; the other what a group scales by.
  public static let usualDimensions = [["InstanceId"], ["AutoScalingGroupName"]]

  public var namespace = usualNamespace
  /// The length of one datum: a whole number of minutes, or less for high resolution.
  public var resolution: Duration = .seconds(60)
  public var sendEvery: Duration = .seconds(60)
  public var metrics = CloudMetric.usual
  /// Every metric is kept under each of these sets that this machine has all values for.
  public var dimensions = usualDimensions
  /// Data that may wait in memory, about 1 kB each.
  public var spoolMax = 4000

  public init() {}
}

/// One metric that is published.
public struct CloudMetric: Hashable, Sendable {
  /// What becomes of several series of one name, such as one a mount.
  public enum Fold: String, Hashable, Sendable, CaseIterable {
    case max
    case sum
  }

  /// The series' name here.
  public var series: String
  /// The metric's name there.
  public var name: String
  public var unit: String?
  /// Labels that become dimensions, so that series stay apart by them.
  public var per: [String]
  public var fold: Fold
  /// Whether only what was collected on this host counts: others may send series of any name.
  public var isOwnOnly = false

  public init(
    _ series: String, name: String? = nil, unit: String? = nil, per: [String] = [],
    fold: Fold = .max
  ) {
    self.series = series
    self.name = name ?? series
    self.unit = unit
    self.per = per
    self.fold = fold
  }

  /// A metric by its name alone; those that CloudWatch knows of other agents have their units.
  public init(named name: String) {
    self.init(name, unit: CloudMetric.units[name])
    isOwnOnly = true
  }

  private static let units = [
    "CPUUtilization": "Percent", "MemoryUtilization": "Percent", "SwapUtilization": "Percent",
    "DiskUtilization": "Percent", "NetworkIn": "Bytes/Second", "NetworkOut": "Bytes/Second",
  ]

  /// What the alarms and rules of the deployment read.
  public static let usual = [
    "CPUUtilization", "MemoryUtilization", "SwapUtilization", "DiskUtilization", "NetworkIn",
    "NetworkOut",
  ].map { CloudMetric(named: $0) }

  /// All that CloudWatch takes (API_MetricDatum).
  static let allUnits: [String] = {
    let sizes = ["Bytes", "Kilobytes", "Megabytes", "Gigabytes", "Terabytes"]
    let bits = ["Bits", "Kilobits", "Megabits", "Gigabits", "Terabits"]
    let rates = (sizes + bits + ["Count"]).map { "\($0)/Second" }
    return ["Seconds", "Microseconds", "Milliseconds"] + sizes + bits
      + ["Percent", "Count", "None"] + rates
  }()
}

/// `aws.logs`.
public struct CloudLogSettings: Hashable, Sendable {
  public enum Format: String, Hashable, Sendable, CaseIterable {
    /// A line such as `{"CPUUtilization":91.2}`, which the Lambda function reads.
    case json
    /// CloudWatch's embedded metric format, which makes metrics of lines.
    case emf
  }

  /// The group that the deployment makes, and its function subscribes to.
  public static let usualGroup = "ServerMetricsLogGroup"

  public var group = usualGroup
  /// Empty takes the instance's id.
  public var stream = ""
  public var format = Format.json
  public var every: Duration = .seconds(60)

  public init() {}
}

/// `aws.termination`.
public struct TerminationSettings: Hashable, Sendable {
  /// The series that says so, with a label `reason`.
  public static let series = "lifeguard_instance_termination"

  /// Whether the metadata service is asked if this machine is about to be taken away.
  public var watches = true
  /// What to do then; nil only tells people.
  public var plan: String?

  public init() {}
}
