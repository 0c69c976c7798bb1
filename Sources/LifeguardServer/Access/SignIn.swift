import Synchronization

/// Signs browsers in: a code that works once becomes a cookie, so that no address ever holds the
/// token.
final class SignIn: Sendable {
  /// Long enough to copy a link from a terminal.
  static let codeLife: Duration = .seconds(900)
  /// A working day.
  static let sessionLife: Duration = .seconds(43_200)
  static let codesMax = 16
  static let sessionsMax = 64
  static let cookie = "lifeguard_session"

  private struct Secrets {
    var codes: [(text: String, until: ContinuousClock.Instant)] = []
    var sessions: [(text: String, until: ContinuousClock.Instant)] = []
  }

  private let secrets = Mutex(Secrets())

  /// A fresh code; the oldest is forgotten when there are too many.
  func newCode(now: ContinuousClock.Instant = .now) -> String {
    let code = SecretText.random(bytes: 16)
    secrets.withLock { secrets in
      secrets.codes.removeAll { $0.until <= now }
      if secrets.codes.count >= SignIn.codesMax { secrets.codes.removeFirst() }
      secrets.codes.append((code, now + SignIn.codeLife))
    }
    return code
  }

  /// Uses a code up and begins a session; nil when the code is unknown, used or too old.
  func redeem(_ code: String, now: ContinuousClock.Instant = .now) -> String? {
    secrets.withLock { secrets in
      secrets.codes.removeAll { $0.until <= now }
      guard let index = secrets.codes.firstIndex(where: { SecretText.areEqual($0.text, code) })
      else { return nil }
      secrets.codes.remove(at: index)
      secrets.sessions.removeAll { $0.until <= now }
      if secrets.sessions.count >= SignIn.sessionsMax { secrets.sessions.removeFirst() }
      let session = SecretText.random(bytes: 32)
      secrets.sessions.append((session, now + SignIn.sessionLife))
      return session
    }
  }

  func isSignedIn(_ session: String, now: ContinuousClock.Instant = .now) -> Bool {
    secrets.withLock { secrets in
      // Every entry is compared, so that the time tells nothing about which one matched.
      secrets.sessions.reduce(false) { found, entry in
        (SecretText.areEqual(entry.text, session) && entry.until > now) || found
      }
    }
  }
}
