import CLinux
import Glibc
import Synchronization

/// One thread that waits for descriptors, deadlines and process exits for everybody.
///
/// ```
/// probes ──┐                        ┌─▶ handler(events)      on the reactor's thread,
/// commands ┼─ watch / after ─▶ epoll┤                        must not block
/// watchers ┘                        └─▶ timer action
/// ```
///
/// A thread per probe or per child would cost memory and start-up time with hundreds of them;
/// the cooperative pool must never block at all.
public final class Reactor: Sendable {
  /// Names a registration; never used again after it was removed.
  public struct Token: Hashable, Sendable {
    let number: UInt64
  }

  /// What epoll reported, as in epoll_ctl(2).
  public struct Events: OptionSet, Sendable {
    public let rawValue: UInt32
    public init(rawValue: UInt32) { self.rawValue = rawValue }
    public static let readable = Events(rawValue: EPOLLIN.rawValue)
    public static let writable = Events(rawValue: EPOLLOUT.rawValue)
    public static let hangUp = Events(rawValue: EPOLLHUP.rawValue)
    public static let error = Events(rawValue: EPOLLERR.rawValue)
  }

  public typealias Handler = @Sendable (Events) -> Void

  private struct State {
    var handlers: [UInt64: Handler] = [:]
    var timers = TimerQueue()
    /// Number 0 is the wake-up descriptor.
    var nextNumber: UInt64 = 1
    /// When the thread will wake by itself; a new earlier deadline has to wake it.
    var sleepsUntil: Duration?
    var stopped = false
  }

  private let state = Mutex(State())
  private let epoll: Int32
  private let wakeUp: Int32

  /// Starts the thread; it runs until `stop()`.
  public init() throws(SystemCallError) {
    epoll = epoll_create1(Int32(EPOLL_CLOEXEC))
    guard epoll >= 0 else { throw SystemCallError(call: "epoll_create1") }
    wakeUp = clinux_eventfd()
    guard wakeUp >= 0 else {
      let error = SystemCallError(call: "eventfd")
      close(epoll)
      throw error
    }
    var event = epoll_event()
    event.events = EPOLLIN.rawValue
    event.data.u64 = 0
    guard epoll_ctl(epoll, EPOLL_CTL_ADD, wakeUp, &event) == 0 else {
      let error = SystemCallError(call: "epoll_ctl", subject: "eventfd")
      close(epoll)
      close(wakeUp)
      throw error
    }
    try Thread.start(name: "reactor") { self.loop() }
  }

  /// Calls `handler` on the reactor's thread whenever the descriptor is ready (level-triggered).
  ///
  /// The descriptor stays the caller's, who removes the registration before closing it. A handler
  /// may still be running, or be called once more, while another thread removes it.
  public func watch(
    _ descriptor: Int32, for events: Events, handler: @escaping Handler
  ) throws(SystemCallError) -> Token {
    let number = state.withLock { state in
      let number = state.nextNumber
      state.nextNumber += 1
      state.handlers[number] = handler
      return number
    }
    var event = epoll_event()
    event.events = events.rawValue
    event.data.u64 = number
    guard epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, &event) == 0 else {
      let error = SystemCallError(call: "epoll_ctl", subject: "descriptor \(descriptor)")
      _ = state.withLock { $0.handlers.removeValue(forKey: number) }
      throw error
    }
    return Token(number: number)
  }

  /// Changes what a registration waits for.
  public func change(_ token: Token, of descriptor: Int32, to events: Events) {
    var event = epoll_event()
    event.events = events.rawValue
    event.data.u64 = token.number
    epoll_ctl(epoll, EPOLL_CTL_MOD, descriptor, &event)
  }

  /// Forgets a descriptor; its handler is not called again. Closing it is the caller's.
  public func unwatch(_ token: Token, of descriptor: Int32) {
    var event = epoll_event()
    epoll_ctl(epoll, EPOLL_CTL_DEL, descriptor, &event)
    _ = state.withLock { $0.handlers.removeValue(forKey: token.number) }
  }

  /// Calls `action` on the reactor's thread when `delay` has passed on CLOCK_BOOTTIME.
  @discardableResult
  public func after(_ delay: Duration, _ action: @escaping @Sendable () -> Void) -> Token {
    let deadline = BootClock.now() + delay
    let (number, mustWake) = state.withLock { state in
      let number = state.nextNumber
      state.nextNumber += 1
      state.timers.add(number: number, deadline: deadline, action: action)
      let mustWake = state.sleepsUntil.map { deadline < $0 } ?? true
      if mustWake { state.sleepsUntil = deadline }
      return (number, mustWake)
    }
    if mustWake { wake() }
    return Token(number: number)
  }

  /// Takes a timer back; one that has fired is none any more.
  public func cancel(_ timer: Token) {
    state.withLock { $0.timers.cancel(timer.number) }
  }

  /// Waits without holding a thread; returns early when the task is cancelled.
  public func sleep(for duration: Duration) async {
    let wait = OneShot<Void>()
    let timer = after(duration) { wait.finish(()) }
    await withTaskCancellationHandler {
      await wait.value
    } onCancel: {
      cancel(timer)
      wait.finish(())
    }
  }

  /// Ends the thread. Handlers and timers that are still registered are not called any more.
  public func stop() {
    state.withLock { $0.stopped = true }
    wake()
  }

  private func wake() {
    var one: UInt64 = 1
    _ = write(wakeUp, &one, 8)
  }

  private func loop() {
    var events = [epoll_event](repeating: epoll_event(), count: 128)
    while true {
      let wait: Int32? = state.withLock { state in
        if state.stopped { return nil }
        state.sleepsUntil = state.timers.next()
        guard let deadline = state.sleepsUntil else { return -1 }
        let left = (deadline - BootClock.now()).millisecondsRoundedUp
        return Int32(clamping: max(left, 0))
      }
      guard let wait else { break }
      let count = epoll_wait(epoll, &events, Int32(events.count), wait)
      for index in 0..<max(Int(count), 0) {
        let number = events[index].data.u64
        if number == 0 {
          drainWakeUp()
        } else {
          let handler = state.withLock { $0.handlers[number] }
          handler?(Events(rawValue: events[index].events))
        }
      }
      for action in state.withLock({ $0.timers.takeDue(at: BootClock.now()) }) { action() }
    }
    close(epoll)
    close(wakeUp)
  }

  private func drainWakeUp() {
    var count: UInt64 = 0
    _ = read(wakeUp, &count, 8)
  }
}
