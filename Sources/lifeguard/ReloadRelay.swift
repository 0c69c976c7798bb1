import Synchronization

/// Hands an order to reload on to a session that is made later than whoever gives it.
final class ReloadRelay: Sendable {
  private let target = Mutex<(@Sendable () -> Void)?>(nil)

  var order: @Sendable () -> Void {
    get { { [self] in target.withLock { $0 }?() } }
    set { target.withLock { $0 = newValue } }
  }
}
