import Glibc
import Synchronization
import Testing

@testable import LifeguardHost

@Suite struct ReactorTests {
  @Test func `timers come in the order of their deadlines, cancelled ones not at all`()
    async throws
  {
    let reactor = try Reactor()
    defer { reactor.stop() }
    let order = Mutex<[Int]>([])
    let done = OneShot<Void>()
    for number in [3, 1, 4, 2, 5] {
      reactor.after(.milliseconds(20 * number)) { order.withLock { $0.append(number) } }
    }
    let cancelled = reactor.after(.milliseconds(30)) { order.withLock { $0.append(0) } }
    reactor.cancel(cancelled)
    reactor.after(.milliseconds(150)) { done.finish(()) }
    await done.value
    #expect(order.withLock { $0 } == [1, 2, 3, 4, 5])
  }

  @Test func `a sleep ends early when its task is cancelled`() async throws {
    let reactor = try Reactor()
    defer { reactor.stop() }
    let start = BootClock.now()
    let task = Task { await reactor.sleep(for: .seconds(60)) }
    task.cancel()
    await task.value
    #expect(BootClock.now() - start < .seconds(30))
  }

  @Test func `cancelled timers do not pile up`() {
    var queue = TimerQueue()
    for number in 1...10_000 {
      queue.add(number: UInt64(number), deadline: .seconds(number)) {}
      if number % 1000 != 0 { queue.cancel(UInt64(number)) }
    }
    #expect(queue.entryCount < 200)
    #expect(queue.next() == .seconds(1000))
    #expect(queue.takeDue(at: .seconds(3500)).count == 3)
  }

  @Test func `work beyond the queue is refused, not piled up`() async throws {
    let threads = try BlockingThreads(threadsMax: 1, jobsMax: 2)
    defer { threads.stop() }
    let gate = Mutex(false)
    let isBusy = Mutex(false)
    #expect(
      threads.submit {
        isBusy.withLock { $0 = true }
        while !gate.withLock({ $0 }) { usleep(1000) }
      })
    while !isBusy.withLock({ $0 }) { await Task.yield() }
    #expect(threads.submit {})
    #expect(threads.submit {})
    #expect(!threads.submit {})
    gate.withLock { $0 = true }
    #expect(await threads.run { 42 } ?? 42 == 42)
  }
}
