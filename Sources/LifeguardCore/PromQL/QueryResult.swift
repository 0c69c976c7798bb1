/// One element of an instant vector.
public struct VectorElement: Hashable, Sendable {
  public var labels: Labels
  public var value: Double
  /// The times of the oldest and newest sample that the value was made from, through all operators,
  /// functions and aggregations; `nil` for constants.
  public var inputs: ClosedRange<Timestamp>?

  /// Whether any of those samples was not collected on this host.
  public var isRemote: Bool

  public init(
    labels: Labels, value: Double, inputs: ClosedRange<Timestamp>? = nil, isRemote: Bool = false
  ) {
    self.labels = labels
    self.value = value
    self.inputs = inputs
    self.isRemote = isRemote
  }
}

/// One series of a range query, or of a range selector.
public struct MatrixSeries: Hashable, Sendable {
  public var labels: Labels
  public var samples: [Sample]

  public init(labels: Labels, samples: [Sample]) {
    self.labels = labels
    self.samples = samples
  }
}

/// What a query gives: which one follows from the expression's type.
public enum QueryValue: Hashable, Sendable {
  case scalar(Double)
  case string(String)
  case vector([VectorElement])
  case matrix([MatrixSeries])
}

/// The answer to a query.
public struct QueryResult: Hashable, Sendable {
  public var value: QueryValue
  public var warnings: [Annotation]
  public var infos: [Annotation]
  /// The newest sample that any selector outside `absent()` and `absent_over_time()` used, moved
  /// forward by the selector's `offset` so that it says how fresh the series is; staleness markers
  /// do not count. `nil` when there was none.
  public var newestInput: Timestamp?
  /// Whether any selector matched a series that was not collected on this host: what to go by for
  /// values without `inputs` of their own, such as that of `absent()`.
  public var readsRemote = false
}

extension QueryResult {
  /// Where an element comes from; one without samples of its own, as of `absent()`, from wherever
  /// the selectors look.
  func origin(of element: VectorElement) -> SeriesOrigin {
    element.isRemote || (element.inputs == nil && readsRemote) ? .remote : .local
  }
}
