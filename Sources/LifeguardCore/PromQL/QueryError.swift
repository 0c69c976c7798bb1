/// Why a query has no answer; the texts are Prometheus'.
public enum QueryError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The request makes no sense, whatever the data.
  case invalid(String)
  /// The data do not allow what the query asks for.
  case execution(String)
  /// More samples than `QueryOptions.samplesMax`.
  case tooManySamples
  case interrupted(QueryInterruption)
  case source(SeriesSourceError)

  /// What the HTTP API calls this kind of error (Prometheus, web/api/v1).
  public var errorType: String {
    switch self {
    case .invalid: "bad_data"
    case .execution, .tooManySamples: "execution"
    case .interrupted(.canceled): "canceled"
    case .interrupted(.timedOut): "timeout"
    case .source: "internal"
    }
  }

  public var description: String {
    switch self {
    case .invalid(let message), .execution(let message): message
    case .tooManySamples:
      "query processing would load too many samples into memory in query execution"
    case .interrupted(.canceled): "query was canceled in expression evaluation"
    case .interrupted(.timedOut): "query timed out in expression evaluation"
    case .source(let error): "expanding series: \(error.message)"
    }
  }
}

/// Why an evaluation was told to stop.
public enum QueryInterruption: Hashable, Sendable {
  case canceled
  case timedOut
}
