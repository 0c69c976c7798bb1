/// What decides how an alert comes and goes, apart from its expression.
public struct AlertBehaviour: Hashable, Sendable {
  /// `AlertRule.id`.
  public var rule: String
  public var hold: Duration
  public var keepFiringFor: Duration
  public var samples: SampleWindow?
  public var hasClear: Bool
  public var onNoData: NoDataPolicy

  /// Fires at once and ends at once.
  public init(rule: String) {
    self.rule = rule
    hold = .zero
    keepFiringFor = .zero
    hasClear = false
    onNoData = .keep
  }

  public init(_ rule: AlertRule) {
    self.rule = rule.id
    hold = rule.hold
    keepFiringFor = rule.keepFiringFor
    samples = rule.samples
    hasClear = rule.clear != nil
    // Such an alarm ends without data; that proves no recovery, as with `on_no_data: ok`.
    onNoData = rule.alarm?.evaluation.missingData == .notBreaching ? .ok : rule.onNoData
  }
}
