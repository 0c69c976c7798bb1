/// `alarm:` of a rule: its expression is judged as a CloudWatch alarm judges its metric.
///
/// ```
/// samples │· ·· ·│·   ·│     │·· ··│  one datapoint a period, or none
///         └──X───┴──0──┴──-──┴──X──┘ ─▶ M of the last N breach ─▶ verdict
/// ```
public struct AlarmSettings: Hashable, Sendable {
  /// How the samples of a period become one datapoint.
  public enum Statistic: Hashable, Sendable {
    case average
    case sum
    case minimum
    case maximum
    case sampleCount
    /// From 0 to 100: `p95` is 95.
    case percentile(Double)

    /// As CloudWatch and the configuration write it.
    public var name: String {
      switch self {
      case .average: "Average"
      case .sum: "Sum"
      case .minimum: "Minimum"
      case .maximum: "Maximum"
      case .sampleCount: "SampleCount"
      case .percentile(let percent): "p\(SampleText.value(percent))"
      }
    }
  }

  public var period: Duration
  public var statistic: Statistic
  public var evaluation: AlarmEvaluation

  /// - Parameter period: at least a second.
  public init(
    period: Duration = .seconds(60), statistic: Statistic = .average, evaluation: AlarmEvaluation
  ) {
    self.period = max(period, .seconds(1))
    self.statistic = statistic
    self.evaluation = evaluation
  }

  /// How many periods are looked at, which is more than N: CloudWatch looks further back for points
  /// that did arrive, and does not say how far; its own example looks at 5 for N of 3.
  public var range: Int {
    evaluation.evaluationPeriods + max(evaluation.evaluationPeriods / 3, 2)
  }

  /// In a few words, for people.
  public var text: String {
    "\(evaluation.datapointsToAlarm) of \(evaluation.evaluationPeriods) datapoints, each the "
      + "\(statistic.name) of \(period.text); missing: \(evaluation.missingData.rawValue)"
  }

  /// How often it is evaluated: every minute over whole minutes, more often only for periods in
  /// high resolution.
  var cadence: Duration { min(period, .seconds(60)) }
}

extension Query {
  /// Whether it compares the series of one selector with a number, which is all that an alarm can.
  public var isThreshold: Bool { comparison?.offset == 0 }

  /// The value that an alarm compares at a period's end; nil for a query of any other form.
  func datapoints(_ settings: AlarmSettings) -> Query? {
    guard let comparison, comparison.offset == 0 else { return nil }
    let place = comparison.selector.position
    let samples = Expression.matrixSelector(
      MatrixSelector(
        selector: comparison.selector,
        range: .seconds(settings.period.seconds, position: place), position: place))
    let (function, parameter): (Function, Double?) =
      switch settings.statistic {
      case .average: (.avgOverTime, nil)
      case .sum: (.sumOverTime, nil)
      case .minimum: (.minOverTime, nil)
      case .maximum: (.maxOverTime, nil)
      case .sampleCount: (.countOverTime, nil)
      case .percentile(let percent): (.quantileOverTime, percent / 100)
      }
    let first = parameter.map { [Expression.number(NumberLiteral(value: $0, position: place))] }
    return Query(
      text: text,
      expression: .call(
        Call(function: function, arguments: (first ?? []) + [samples], position: place)))
  }
}
