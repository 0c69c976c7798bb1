/// Waits until a condition holds, asking again and again until the limit is used up; returns
/// whether it came to hold.
///
/// This is how tests wait: `#expect(await eventually { try await answers(port) })`. A thrown error
/// counts as "not yet". A condition that holds ends the wait at once.
///
/// The limit counts the time in which this test could run: while the runner's threads are busy with
/// other tests, a pause that lasts seconds uses up a quarter of one.
public func eventually(
  within limit: Duration = .seconds(20), every pause: Duration = .milliseconds(10),
  isolation: isolated (any Actor)? = #isolation,
  _ condition: () async throws -> Bool
) async -> Bool {
  let clock = ContinuousClock()
  var used = Duration.zero
  while true {
    do {
      if try await condition() { return true }
    } catch is CancellationError {
      return false
    } catch {
      // Not yet: the next round asks again.
    }
    if used >= limit { return false }
    do {
      let slept = try await clock.measure { try await clock.sleep(for: pause) }
      used += min(slept, max(pause * 4, .milliseconds(250)))
    } catch {
      return false
    }
  }
}

/// Whether a condition holds all through a span, asked again and again: for what must not happen.
public func holds(
  for span: Duration, every pause: Duration = .milliseconds(20),
  isolation: isolated (any Actor)? = #isolation,
  _ condition: () async throws -> Bool
) async rethrows -> Bool {
  let end = ContinuousClock.now + span
  repeat {
    guard try await condition() else { return false }
    do {
      try await Task.sleep(for: pause)
    } catch {
      return false
    }
  } while ContinuousClock.now < end
  return true
}
