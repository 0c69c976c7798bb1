/// What a template can see and do while it is expanded.
///
/// The closures are what a pure core cannot do itself. One that is absent makes the functions that
/// need it fail, and the failure is shown in the text as Prometheus shows it.
public struct TemplateContext: Sendable {
  /// `$labels`, `.Labels`.
  public var labels: Labels
  /// `$externalLabels`, `.ExternalLabels`.
  public var externalLabels: Labels
  /// `$value`, `.Value`.
  public var value: Double
  /// `$externalURL`, `.ExternalURL` and the functions `externalURL` and `pathPrefix`.
  public var externalURL: String
  /// What `$name` other than labels, externalLabels, externalURL and value stands for.
  public var variables: [String: String]
  /// The evaluation time: what `now` returns.
  public var time: Timestamp
  /// Runs an instant query at `time`, for the function `query`.
  public var query: (@Sendable (String) throws(TemplateError) -> [TemplateSample])?
  /// Compiles RE2 syntax to a linear-time matcher, for `match` and `reReplaceAll`; the project's
  /// own engine unless something else is put here.
  public var regularExpression: (@Sendable (String) throws(TemplateError) -> TemplatePattern)?

  public init(
    labels: Labels, value: Double = .nan, externalLabels: Labels = Labels(),
    variables: [String: String] = [:], externalURL: String = "",
    time: Timestamp = Timestamp(milliseconds: 0)
  ) {
    self.labels = labels
    self.value = value
    self.externalLabels = externalLabels
    self.variables = variables
    self.externalURL = externalURL
    self.time = time
    regularExpression = { (pattern) throws(TemplateError) in try TemplatePattern(pattern) }
  }
}

/// One element of what `query` returns.
public struct TemplateSample: Hashable, Sendable {
  public var labels: Labels
  public var value: Double

  public init(labels: Labels, value: Double) {
    self.labels = labels
    self.value = value
  }
}

/// A compiled regular expression, as far as templates need one; not anchored.
public struct TemplatePattern: Sendable {
  /// The leftmost match that starts at or after a byte: the whole, then each group, as byte
  /// ranges; nil for a group that took no part.
  public var firstMatch: @Sendable (_ text: [UInt8], _ start: Int) -> [Range<Int>?]?
  /// The names of the groups, by their number less one; nil for one without a name.
  public var groupNames: [String?]

  public init(
    groupNames: [String?] = [],
    firstMatch: @escaping @Sendable (_ text: [UInt8], _ start: Int) -> [Range<Int>?]?
  ) {
    self.groupNames = groupNames
    self.firstMatch = firstMatch
  }
}
