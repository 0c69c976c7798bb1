import Glibc
import Synchronization

/// A few threads for calls that block: fork and exec, name look-ups, walks through `/proc`.
///
/// They start when there is work and none is idle, and one is always kept. A call that hangs
/// (a program on a stuck mount) occupies one of them; when all are occupied and the queue is full,
/// work is refused rather than piled up.
public final class BlockingThreads: Sendable {
  private struct State {
    var jobs: [@Sendable () -> Void] = []
    var threads = 0
    var idle = 0
    var stopped = false
  }

  private let state = Mutex(State())
  private let threadsMax: Int
  private let jobsMax: Int
  private let work: Semaphore
  private let name: String
  private let stackBytes: Int

  /// Starts the first thread, so that there is one even when the host has run out of them.
  ///
  /// - Parameters:
  ///   - name: of the threads, as `ps -L` shows it.
  ///   - stackBytes: of each thread.
  public init(
    threadsMax: Int = 8, jobsMax: Int = 256, name: String = "blocking",
    stackBytes: Int = 512 * 1024
  ) throws(SystemCallError) {
    self.threadsMax = threadsMax
    self.jobsMax = jobsMax
    self.name = name
    self.stackBytes = stackBytes
    work = Semaphore()
    state.withLock { $0.threads = 1 }
    try Thread.start(name: name, stackBytes: stackBytes) { self.loop() }
  }

  /// Queues a job; false when the queue is full or after `stop()`.
  public func submit(_ job: @escaping @Sendable () -> Void) -> Bool {
    let (accepted, mustStart) = state.withLock { state in
      guard !state.stopped, state.jobs.count < jobsMax else { return (false, false) }
      state.jobs.append(job)
      let mustStart = state.idle < state.jobs.count && state.threads < threadsMax
      if mustStart { state.threads += 1 }
      return (true, mustStart)
    }
    guard accepted else { return false }
    if mustStart {
      do {
        try Thread.start(name: name, stackBytes: stackBytes) { self.loop() }
      } catch {
        // The host is out of threads: one that runs already takes the job when it can.
        state.withLock { $0.threads -= 1 }
      }
    }
    work.signal()
    return true
  }

  /// Runs `body` on one of the threads; nil when it was refused.
  public func run<Value: Sendable>(_ body: @escaping @Sendable () -> Value) async -> Value? {
    let result = OneShot<Value?>()
    if !submit({ result.finish(body()) }) { return nil }
    return await result.value
  }

  /// Lets the threads end when their queue is empty.
  public func stop() {
    let threads = state.withLock { state in
      state.stopped = true
      return state.threads
    }
    for _ in 0..<threads { work.signal() }
  }

  private func loop() {
    while true {
      let (job, ends): ((@Sendable () -> Void)?, Bool) = state.withLock { state in
        if !state.jobs.isEmpty { return (state.jobs.removeFirst(), false) }
        if state.stopped {
          state.threads -= 1
          return (nil, true)
        }
        state.idle += 1
        return (nil, false)
      }
      if ends { return }
      if let job {
        job()
        continue
      }
      let signalled = work.wait(seconds: 10)
      let retires = state.withLock { state in
        state.idle -= 1
        guard !signalled, state.jobs.isEmpty, state.threads > 1 else { return false }
        state.threads -= 1
        return true
      }
      if retires { return }
    }
  }
}
