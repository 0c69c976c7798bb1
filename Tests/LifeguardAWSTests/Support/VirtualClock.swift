import LifeguardAWS
import LifeguardCore
import Synchronization

/// Clocks that only move when somebody sleeps or a test says so.
final class VirtualClock: Sendable {
  private struct State {
    var now = Timestamp("2026-11-23T08:00:00Z") ?? Timestamp(milliseconds: 0)
    var elapsed = Duration.seconds(1000)
    var sleeps: [Duration] = []
  }

  private let state = Mutex(State())
  private let random: Double

  init(random: Double = 0.5) { self.random = random }

  var now: Timestamp { state.withLock { $0.now } }
  var sleeps: [Duration] { state.withLock { $0.sleeps } }

  func advance(_ duration: Duration) {
    state.withLock { state in
      state.now = state.now + duration
      state.elapsed += duration
    }
  }

  var clock: AWSClock {
    AWSClock(
      now: { self.now }, elapsed: { self.state.withLock { $0.elapsed } },
      sleep: { duration in
        self.advance(duration)
        self.state.withLock { $0.sleeps.append(duration) }
      }, random: { self.random })
  }
}

extension AWSCredentials {
  static let example = AWSCredentials(
    accessKeyID: "AKIDEXAMPLE",
    secretAccessKey: Secret("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"))
}

extension AWSClient {
  /// A client with fixed credentials in eu-west-1.
  static func scripted(
    _ transport: ScriptedTransport, _ clock: VirtualClock = VirtualClock(),
    credentials: (any AWSCredentialSource)? = StaticCredentials(.example)
  ) -> AWSClient {
    AWSClient(
      AWSSettings(environment: ["AWS_REGION": "eu-west-1"]), transport: transport,
      credentials: credentials, clock: clock.clock)
  }
}
