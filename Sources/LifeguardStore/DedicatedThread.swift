import Glibc

/// A thread that runs the jobs of the actors which name it as their executor.
///
/// Databases block, and a blocked thread of the cooperative pool stalls the whole agent (two
/// threads on two cores). An actor on this executor may block and call its database synchronously.
/// All signals are blocked on the thread, so that they reach the one that waits for them.
public final class DedicatedThread: SerialExecutor {
  private let queue = JobQueue()

  public init() {
    var blocked = sigset_t()
    var before = sigset_t()
    sigfillset(&blocked)
    pthread_sigmask(SIG_SETMASK, &blocked, &before)
    defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
    var thread = pthread_t()
    let context = Unmanaged.passRetained(queue).toOpaque()
    let failure = pthread_create(
      &thread, nil,
      { context in
        guard let context else { return nil }
        Unmanaged<JobQueue>.fromOpaque(context).takeRetainedValue().run()
        return nil
      }, context)
    precondition(failure == 0, "a thread cannot be started: \(describe(errno: failure))")
    pthread_detach(thread)
  }

  /// The last job may release the executor on its own thread, so nobody waits for the thread.
  deinit { queue.stop() }

  public func enqueue(_ job: consuming ExecutorJob) {
    queue.push(UnownedJob(job), for: asUnownedSerialExecutor())
  }

  public func asUnownedSerialExecutor() -> UnownedSerialExecutor {
    UnownedSerialExecutor(ordinary: self)
  }
}

/// What the thread and those who give it work share.
private final class JobQueue: @unchecked Sendable {  // why: `waiting` is touched under `mutex` only
  private typealias Entry = (job: UnownedJob, executor: UnownedSerialExecutor)

  private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
  private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
  private var waiting: [Entry] = []
  private var stopped = false

  init() {
    mutex.initialize(to: pthread_mutex_t())
    condition.initialize(to: pthread_cond_t())
    pthread_mutex_init(mutex, nil)
    pthread_cond_init(condition, nil)
  }

  deinit {
    pthread_cond_destroy(condition)
    pthread_mutex_destroy(mutex)
    condition.deallocate()
    mutex.deallocate()
  }

  func push(_ job: UnownedJob, for executor: UnownedSerialExecutor) {
    pthread_mutex_lock(mutex)
    waiting.append((job, executor))
    pthread_cond_signal(condition)
    pthread_mutex_unlock(mutex)
  }

  func stop() {
    pthread_mutex_lock(mutex)
    stopped = true
    pthread_cond_signal(condition)
    pthread_mutex_unlock(mutex)
  }

  func run() {
    while let entries = next() {
      for entry in entries { entry.job.runSynchronously(on: entry.executor) }
    }
  }

  /// Waits for jobs; nil when there are none and there will be none.
  private func next() -> [Entry]? {
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    while waiting.isEmpty && !stopped { pthread_cond_wait(condition, mutex) }
    guard !waiting.isEmpty else { return nil }
    let entries = waiting
    waiting.removeAll(keepingCapacity: entries.count < 64)
    return entries
  }
}
