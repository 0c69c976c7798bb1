/// One element of an instant vector.
public struct VectorElement: Hashable, Sendable {
  public var labels: Labels
  public var value: Double
  /// The times of the oldest and newest sample that the value was made from, through all operators,
  /// functions and aggregations; `nil` for constants.
  public var inputs: ClosedRange<Timestamp>?

  public init(labels: Labels, value: Double, inputs: ClosedRange<Timestamp>? = nil) {
    self.labels = labels
    self.value = value
    self.inputs = inputs
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
}
