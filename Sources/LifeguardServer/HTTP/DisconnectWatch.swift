import NIOCore
import Synchronization

/// Notices that a client has gone while its answer is being made.
///
/// The end of what a client sends counts as its going, as in Go's server: the kernel does not tell
/// one who closed only its side from one who closed both.
final class DisconnectWatch: ChannelInboundHandler, RemovableChannelHandler, Sendable {
  typealias InboundIn = Any

  private struct State {
    var hasGone = false
    var action: (@Sendable () -> Void)?
  }

  private let state = Mutex(State())

  /// Calls `action` once when the client goes, at once when it has gone; nil forgets the action.
  func onDisconnect(_ action: (@Sendable () -> Void)?) {
    let hasGone = state.withLock { state in
      state.action = state.hasGone ? nil : action
      return state.hasGone
    }
    if hasGone { action?() }
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if case ChannelEvent.inputClosed? = event as? ChannelEvent { note() }
    context.fireUserInboundEventTriggered(event)
  }

  func channelInactive(context: ChannelHandlerContext) {
    note()
    context.fireChannelInactive()
  }

  private func note() {
    let action = state.withLock { state in
      defer { state.action = nil }
      state.hasGone = true
      return state.action
    }
    action?()
  }
}
