/// How often, how long and with which pauses a call is tried.
public struct AWSRetryPolicy: Hashable, Sendable {
  /// Tries of one call, the first included.
  public var attemptsMax = 4
  /// For one try.
  public var attemptTimeout: Duration = .seconds(10)
  /// For the whole call: all tries, all pauses, and getting credentials.
  public var callTimeout: Duration = .seconds(30)
  /// The longest first pause; it doubles from try to try.
  public var pauseBase: Duration = .milliseconds(100)
  public var pauseMax: Duration = .seconds(20)

  /// What suits a call that somebody waits for.
  public init() {}

  /// Full jitter: anything from nothing to the bound, so that those who failed together do not
  /// come back together ("Exponential Backoff And Jitter", AWS Architecture Blog, 2015). A service
  /// that throttles is left alone five times as long.
  ///
  /// - Parameters:
  ///   - attempt: the try that failed, from 1.
  ///   - random: from 0 to below 1.
  func pause(after attempt: Int, isThrottled: Bool, random: Double) -> Duration {
    let base = isThrottled ? pauseBase * 5 : pauseBase
    let bound = min(base * (1 << min(max(attempt - 1, 0), 20)), pauseMax)
    return bound * random
  }
}
