/// What a recovery step asks of Amazon Web Services.
public enum CloudAction: Hashable, Sendable {
  /// Runs a document of Systems Manager on the target instance.
  case ssm(SSMAction)
  case ec2(EC2Action)
  case autoScaling(AutoScalingAction)
  case lambda(LambdaAction)

  /// The step's key in a configuration.
  public var name: String {
    switch self {
    case .ssm: "ssm"
    case .ec2: "ec2"
    case .autoScaling: "autoscaling"
    case .lambda: "lambda"
    }
  }

  /// How much it can hurt, for the order of a ladder (G9).
  public var harm: Harm {
    switch self {
    case .ssm(let action): action.disruptive ? .restart : .nudge
    case .ec2: .reboot
    case .autoScaling(let action): action.harm
    case .lambda(let action): action.disruptive ? .restart : .nudge
    }
  }

  /// The longest that it may take until its result is known.
  public var timeout: Duration {
    switch self {
    case .ssm(let action): action.timeout
    case .ec2(let action): action.timeout
    case .autoScaling(let action): action.timeout
    case .lambda(let action): action.timeout
    }
  }

  /// In a few words: `ec2 reboot`.
  public var summary: String {
    switch self {
    case .ssm(let action): "ssm \(action.document)"
    case .ec2(let action): "ec2 \(action.verb.rawValue)"
    case .autoScaling(let action): "autoscaling \(action.verb.rawValue)"
    case .lambda(let action): "lambda \(action.function)"
    }
  }

  /// Everything that decides what it does, in one order: for fingerprints.
  public var words: [String] {
    switch self {
    case .ssm(let action):
      [action.document, "\(action.timeout.milliseconds)"]
        + action.parameters.sorted { $0.key < $1.key }.flatMap { [$0.key] + $0.value }
    case .ec2(let action): [action.verb.rawValue, "\(action.force)"]
    case .autoScaling(let action):
      [
        action.verb.rawValue, action.group ?? "", "\(action.by)", "\(action.minimum ?? -1)",
        "\(action.maximum ?? -1)",
      ]
    case .lambda(let action): [action.function, "\(action.waits)"]
    }
  }
}

/// A command through Systems Manager's Run Command.
public struct SSMAction: Hashable, Sendable {
  /// The document that runs shell commands of the operator's.
  public static let shellDocument = "AWS-RunShellScript"

  public var document: String
  public var parameters: [String: [String]]
  public var timeout: Duration
  public var disruptive: Bool

  public init(
    document: String, parameters: [String: [String]] = [:], timeout: Duration = .seconds(120),
    disruptive: Bool = true
  ) {
    self.document = document
    self.parameters = parameters
    self.timeout = timeout
    self.disruptive = disruptive
  }
}

/// Something done to an EC2 instance from outside.
public struct EC2Action: Hashable, Sendable {
  public enum Verb: String, Hashable, Sendable, CaseIterable {
    case reboot
    /// Moves it to other hardware; instance store is lost.
    case stopStart = "stop_start"
    /// The hypervisor's own recovery, as a CloudWatch alarm's action starts it.
    case recover
  }

  public var verb: Verb
  /// Does not wait for the operating system to stop.
  public var force: Bool
  public var timeout: Duration

  public init(_ verb: Verb, force: Bool = false, timeout: Duration = .seconds(300)) {
    self.verb = verb
    self.force = force
    self.timeout = timeout
  }
}

/// Something done to an Auto Scaling group, or to an instance as its member.
public struct AutoScalingAction: Hashable, Sendable {
  public enum Verb: String, Hashable, Sendable, CaseIterable {
    /// The group replaces the instance.
    case markUnhealthy = "mark_unhealthy"
    /// Takes the instance out of service without ending it.
    case standby
    /// Replaces every instance, a few at a time.
    case instanceRefresh = "instance_refresh"
    case scaleOut = "scale_out"
    case scaleIn = "scale_in"
  }

  public var verb: Verb
  /// nil takes the target's own group.
  public var group: String?
  /// Instances more or less.
  public var by: Int
  /// Bounds of the step's own, within those of the group.
  public var minimum: Int?
  public var maximum: Int?
  /// Percent of the group that must stay healthy (G6).
  public var minimumHealthy: Int
  public var timeout: Duration

  public init(
    _ verb: Verb, group: String? = nil, by: Int = 1, minimum: Int? = nil, maximum: Int? = nil,
    minimumHealthy: Int = 51, timeout: Duration = .seconds(60)
  ) {
    self.verb = verb
    self.group = group
    self.by = by
    self.minimum = minimum
    self.maximum = maximum
    self.minimumHealthy = minimumHealthy
    self.timeout = timeout
  }

  /// Whether it takes a serving member away, so that the group must have one to spare (G6).
  public var removesMember: Bool {
    switch verb {
    case .markUnhealthy, .standby, .scaleIn: true
    case .instanceRefresh, .scaleOut: false
    }
  }

  var harm: Harm {
    switch verb {
    case .scaleOut: .nudge
    case .standby, .scaleIn: .restart
    case .markUnhealthy, .instanceRefresh: .replace
    }
  }
}

/// Invokes another Lambda function with the alert as its payload.
public struct LambdaAction: Hashable, Sendable {
  public var function: String
  /// Whether its answer is waited for and must be a success.
  public var waits: Bool
  public var timeout: Duration
  public var disruptive: Bool

  public init(
    function: String, waits: Bool = true, timeout: Duration = .seconds(30),
    disruptive: Bool = true
  ) {
    self.function = function
    self.waits = waits
    self.timeout = timeout
    self.disruptive = disruptive
  }
}
