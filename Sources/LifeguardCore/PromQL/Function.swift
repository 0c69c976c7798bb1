/// The functions of PromQL.
///
/// Those that Prometheus calls experimental are listed too, so that the refusal can say so.
public enum Function: String, Hashable, Sendable, CaseIterable {
  case abs, absent, acos, acosh, asin, asinh, atan, atanh, ceil, changes, clamp, cos, cosh, deg
  case delta, deriv, exp, floor, hour, idelta, increase, irate, ln, log10, log2, minute, month
  case pi, rad, rate, resets, round, scalar, sgn, sin, sinh, sort, sqrt, tan, tanh, time
  case timestamp, vector, year
  case absentOverTime = "absent_over_time"
  case avgOverTime = "avg_over_time"
  case clampMax = "clamp_max"
  case clampMin = "clamp_min"
  case countOverTime = "count_over_time"
  case daysInMonth = "days_in_month"
  case dayOfMonth = "day_of_month"
  case dayOfWeek = "day_of_week"
  case dayOfYear = "day_of_year"
  case histogramAvg = "histogram_avg"
  case histogramCount = "histogram_count"
  case histogramSum = "histogram_sum"
  case histogramStddev = "histogram_stddev"
  case histogramStdvar = "histogram_stdvar"
  case histogramFraction = "histogram_fraction"
  case histogramQuantile = "histogram_quantile"
  case labelReplace = "label_replace"
  case labelJoin = "label_join"
  case lastOverTime = "last_over_time"
  case maxOverTime = "max_over_time"
  case minOverTime = "min_over_time"
  case predictLinear = "predict_linear"
  case presentOverTime = "present_over_time"
  case quantileOverTime = "quantile_over_time"
  case sortDesc = "sort_desc"
  case stddevOverTime = "stddev_over_time"
  case stdvarOverTime = "stdvar_over_time"
  case sumOverTime = "sum_over_time"

  // Experimental in Prometheus 3.14.
  case doubleExponentialSmoothing = "double_exponential_smoothing"
  case end
  case firstOverTime = "first_over_time"
  case histogramQuantiles = "histogram_quantiles"
  case info
  case madOverTime = "mad_over_time"
  case maxOf = "max_of"
  case minOf = "min_of"
  case range
  case sortByLabel = "sort_by_label"
  case sortByLabelDesc = "sort_by_label_desc"
  case start
  case step
  case tsOfFirstOverTime = "ts_of_first_over_time"
  case tsOfLastOverTime = "ts_of_last_over_time"
  case tsOfMaxOverTime = "ts_of_max_over_time"
  case tsOfMinOverTime = "ts_of_min_over_time"

  /// What a function takes and gives.
  public struct Signature: Sendable, Hashable {
    public var arguments: [ValueType]
    /// How many times the last argument may be repeated or, when 1, left out; -1 is without limit.
    public var variadic = 0
    public var result = ValueType.vector
  }

  public var isExperimental: Bool {
    switch self {
    case .doubleExponentialSmoothing, .end, .firstOverTime, .histogramQuantiles, .info,
      .madOverTime, .maxOf, .minOf, .range, .sortByLabel, .sortByLabelDesc, .start, .step,
      .tsOfFirstOverTime, .tsOfLastOverTime, .tsOfMaxOverTime, .tsOfMinOverTime:
      true
    default: false
    }
  }

  public var signature: Signature {
    switch self {
    case .time, .pi, .start, .end, .step, .range: Signature(arguments: [], result: .scalar)
    case .minOf, .maxOf: Signature(arguments: [.scalar, .scalar], result: .scalar)
    case .scalar: Signature(arguments: [.vector], result: .scalar)
    case .vector: Signature(arguments: [.scalar])
    case .daysInMonth, .dayOfMonth, .dayOfWeek, .dayOfYear, .hour, .minute, .month, .year:
      Signature(arguments: [.vector], variadic: 1)
    case .round: Signature(arguments: [.vector, .scalar], variadic: 1)
    case .clamp: Signature(arguments: [.vector, .scalar, .scalar])
    case .clampMax, .clampMin: Signature(arguments: [.vector, .scalar])
    case .histogramFraction: Signature(arguments: [.scalar, .scalar, .vector])
    case .histogramQuantile: Signature(arguments: [.scalar, .vector])
    case .histogramQuantiles:
      Signature(arguments: [.vector, .string, .scalar, .scalar], variadic: 9)
    case .info: Signature(arguments: [.vector, .vector], variadic: 1)
    case .labelReplace: Signature(arguments: [.vector, .string, .string, .string, .string])
    case .labelJoin: Signature(arguments: [.vector, .string, .string, .string], variadic: -1)
    case .sortByLabel, .sortByLabelDesc: Signature(arguments: [.vector, .string], variadic: -1)
    case .predictLinear: Signature(arguments: [.matrix, .scalar])
    case .quantileOverTime: Signature(arguments: [.scalar, .matrix])
    case .doubleExponentialSmoothing: Signature(arguments: [.matrix, .scalar, .scalar])
    case .absentOverTime, .avgOverTime, .changes, .countOverTime, .delta, .deriv,
      .firstOverTime, .idelta, .increase, .irate, .lastOverTime, .madOverTime, .maxOverTime,
      .minOverTime, .presentOverTime, .rate, .resets, .stddevOverTime, .stdvarOverTime,
      .sumOverTime, .tsOfFirstOverTime, .tsOfLastOverTime, .tsOfMaxOverTime, .tsOfMinOverTime:
      Signature(arguments: [.matrix])
    default: Signature(arguments: [.vector])
    }
  }

  /// Whether the result depends on the evaluation time even when the arguments do not.
  var dependsOnTime: Bool {
    switch self {
    case .time, .timestamp, .predictLinear, .daysInMonth, .dayOfMonth, .dayOfWeek, .dayOfYear,
      .hour, .minute, .month, .year:
      true
    default: false
    }
  }
}
