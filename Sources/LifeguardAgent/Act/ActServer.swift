import LifeguardConfiguration
import LifeguardCore
import LifeguardHost
import Synchronization

/// The acting side: carries out what its own configuration says, when the other side names it.
///
/// ```
///  unprivileged: parses the world, decides ──(plan hash, rung, target)──▶ root: ActServer
///                                           ◀──(results, observations)──
/// ```
public final class ActServer: Sendable {
  typealias Connection = FrameConnection<ActRequest, ActReply>

  private let hands: LocalHands
  private let load: @Sendable () -> (LoadedConfiguration, RecordedFiles)
  private let requests: AsyncStream<ActRequest>
  private let requesting: AsyncStream<ActRequest>.Continuation
  private let connection: Connection
  private let signsOfLife = Atomic(0)

  /// - Parameters:
  ///   - descriptor: this side of a socket pair.
  ///   - load: reads the configuration and records what it saw.
  public init(
    descriptor: Int32, hands: LocalHands,
    load: @escaping @Sendable () -> (LoadedConfiguration, RecordedFiles)
  ) {
    self.hands = hands
    self.load = load
    connection = Connection(descriptor: descriptor)
    (requests, requesting) = AsyncStream.makeStream(bufferingPolicy: .bufferingOldest(1024))
  }

  /// Serves until the other side is gone.
  public func run() async throws {
    let requesting = requesting
    try connection.begin({ requesting.yield($0) }, ended: { requesting.finish() })
    await withDiscardingTaskGroup { group in
      for await request in requests {
        // Before whatever comes after it: a reload must not start what a freeze has forbidden.
        if case .allowStarts = request {
          await answer(request)
          continue
        }
        group.addTask { await self.answer(request) }
      }
      group.cancelAll()
    }
  }

  /// How often the other side has said that it makes progress.
  public var lifeCount: Int { signsOfLife.load(ordering: .relaxed) }

  /// Tells the other side that an operator wants a reload.
  public func wantReload() { connection.send(.reloadWanted) }

  /// Ends the connection, and with it `run`.
  public func stop() { connection.shutDown() }

  private func answer(_ request: ActRequest) async {
    switch request {
    case .alive: signsOfLife.add(1, ordering: .relaxed)
    case .allowStarts(let allowed): await hands.allowStarts(allowed)
    case .watch(let children, let startsMissing):
      await hands.watch(children: children, startsMissing: startsMissing) {
        self.connection.send(.report($0))
      }
    case .perform(let number, let order):
      connection.send(.performed(number, await hands.perform(order)))
    case .prepare(let number, let order):
      connection.send(.prepared(number, await hands.prepare(order)))
    case .evidence(let number, let request):
      connection.send(.evidence(number, await hands.collectEvidence(request)))
    case .look(let processes): connection.send(.looked(await hands.look(at: processes)))
    case .reload(let number):
      let (loaded, files) = load()
      if let configuration = loaded.configuration { hands.take(configuration) }
      connection.send(.configuration(number, files))
    }
  }
}
