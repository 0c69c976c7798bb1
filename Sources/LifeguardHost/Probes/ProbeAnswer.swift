/// What a probe has found, in more detail than the decisions need.
public struct ProbeAnswer: Hashable, Sendable {
  /// Why a probe did not succeed; what is only slow is told apart from what is broken (G20).
  public enum Failure: String, Hashable, Sendable {
    /// Nobody listens.
    case refused
    /// No answer in time: alone not enough to restart anything on a busy host.
    case timeout
    /// No route, network down, or no descriptor left to ask with.
    case unreachable
    case nameResolution = "name_resolution"
    /// The connection ended before there was an answer.
    case closed
    /// What came back is not HTTP.
    case malformed
    case status
    case body
    /// Nagios exit code 2.
    case critical
    /// Nagios exit code 3, any other code, or a signal: it is not known whether it works (G19).
    case unknown
    /// The probe's own command or URL cannot be used.
    case unusable
  }

  public var success: Bool
  public var duration: Duration
  public var failure: Failure?
  public var httpStatus: Int?
  /// The process has said "warning" (Nagios exit code 1): it works, but somebody should look.
  public var isWarning: Bool
  /// For people: `refused by 127.0.0.1:80`, the first line of a check's output.
  public var message: String

  public init(
    success: Bool, duration: Duration = .zero, failure: Failure? = nil, httpStatus: Int? = nil,
    isWarning: Bool = false, message: String
  ) {
    self.success = success
    self.duration = duration
    self.failure = failure
    self.httpStatus = httpStatus
    self.isWarning = isWarning
    self.message = message
  }

  static func failed(_ failure: Failure, _ message: String, httpStatus: Int? = nil) -> ProbeAnswer {
    ProbeAnswer(success: false, failure: failure, httpStatus: httpStatus, message: message)
  }
}
