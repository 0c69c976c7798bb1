import LifeguardCore
import Synchronization

/// Keeps credentials until shortly before they expire, and gets new ones once for all who wait.
///
/// In the last five minutes of their life new ones are looked for; when that fails, the old ones
/// are good until they expire, and nobody asks again for a minute, so that a source that is down is
/// not flooded. Services rotate temporary credentials earlier than that.
public final class CredentialCache: AWSCredentialSource {
  typealias Outcome = Result<AWSCredentials, AWSCredentialsError>

  /// How long before they expire new credentials are looked for.
  static let refreshWindow: Duration = .seconds(300)
  /// Credentials with less time left than this are not used any more.
  static let lifeMin: Duration = .seconds(10)
  static let pauseAfterFailure: Duration = .seconds(60)

  private struct State {
    var current: AWSCredentials?
    var refusedUntil: Duration?
    var isFetching = false
    var waiters: [UInt64: CheckedContinuation<Outcome, Never>] = [:]
    var nextWaiter: UInt64 = 0
  }

  private let state = Mutex(State())
  private let clock: AWSClock
  private let fetch: @Sendable () async -> Outcome

  /// - Parameter fetch: gets new credentials; must end by itself within some seconds.
  init(clock: AWSClock, fetch: @escaping @Sendable () async -> Outcome) {
    self.clock = clock
    self.fetch = fetch
  }

  public func credentials() async throws(AWSCredentialsError) -> AWSCredentials {
    if let current = fresh() { return current }
    return try await wait().get()
  }

  public func reject(_ credentials: AWSCredentials) async {
    state.withLock { state in
      guard state.current?.accessKeyID == credentials.accessKeyID else { return }
      state.current = nil
      state.refusedUntil = nil
    }
  }

  /// What can be handed out without asking anybody.
  private func fresh() -> AWSCredentials? {
    let now = clock.now()
    let elapsed = clock.elapsed()
    return state.withLock { state in
      guard let current = state.current else { return nil }
      guard let expiration = current.expiration else { return current }
      let left = expiration - now
      if left > Self.refreshWindow { return current }
      let isPausing = state.refusedUntil.map { elapsed < $0 } ?? false
      return isPausing && left > Self.lifeMin ? current : nil
    }
  }

  private func wait() async -> Outcome {
    let id = state.withLock { state in
      state.nextWaiter += 1
      return state.nextWaiter
    }
    return await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let mustFetch = state.withLock { state -> Bool in
          state.waiters[id] = continuation
          defer { state.isFetching = true }
          return !state.isFetching
        }
        // why: the fetch belongs to all who wait; no caller may cancel it for the others.
        if mustFetch { Task { self.finish(await self.fetch()) } }
        if Task.isCancelled { leave(id) }
      }
    } onCancel: {
      leave(id)
    }
  }

  private func leave(_ id: UInt64) {
    let continuation = state.withLock { $0.waiters.removeValue(forKey: id) }
    continuation?.resume(returning: .failure(.cancelled))
  }

  private func finish(_ outcome: Outcome) {
    let now = clock.now()
    let elapsed = clock.elapsed()
    let (waiters, answer) = state.withLock { state in
      defer {
        state.waiters = [:]
        state.isFetching = false
      }
      var answer = outcome
      switch outcome {
      case .success(let credentials):
        state.current = credentials
        // A source that hands out what is about to expire is not asked for every call.
        state.refusedUntil = elapsed + Self.pauseAfterFailure
      case .failure:
        state.refusedUntil = elapsed + Self.pauseAfterFailure
        if let current = state.current, let expiration = current.expiration,
          expiration - now > Self.lifeMin
        {
          answer = .success(current)
        }
      }
      return (state.waiters.values, answer)
    }
    for waiter in waiters { waiter.resume(returning: answer) }
  }
}
