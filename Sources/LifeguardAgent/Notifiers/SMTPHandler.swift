import LifeguardCore
import NIOCore
import NIOSSL
import NIOTLS

/// Carries an `SMTPConversation` over a channel.
///
/// It runs on the channel's event loop, because TLS must begin between two reads: bytes that an
/// attacker sends in the clear after `STARTTLS` then meet the TLS layer, not the conversation
/// (CVE-2011-0411).
final class SMTPHandler: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  private var conversation: SMTPConversation
  private var reader = SMTPReplyReader()
  private let makeTLS: () throws -> NIOSSLClientHandler
  private let isImplicitTLS: Bool
  private let commandTimeout: TimeAmount
  private let result: EventLoopPromise<String?>
  private var timer: Scheduled<Void>?
  private var isOver = false

  init(
    _ conversation: SMTPConversation, isImplicitTLS: Bool, commandTimeout: TimeAmount,
    result: EventLoopPromise<String?>, makeTLS: @escaping () throws -> NIOSSLClientHandler
  ) {
    self.conversation = conversation
    self.isImplicitTLS = isImplicitTLS
    self.commandTimeout = commandTimeout
    self.result = result
    self.makeTLS = makeTLS
  }

  func channelActive(context: ChannelHandlerContext) {
    startTimer(context)
    context.fireChannelActive()
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    guard !isOver else { return }
    do {
      let replies = try reader.read(unwrapInboundIn(data).readableBytesView)
      for (index, reply) in replies.enumerated() {
        let action = conversation.received(reply)
        if action == .startTLS, index + 1 < replies.count || !reader.isEmpty {
          return fail(context, "the mail server sent more than its answer to STARTTLS")
        }
        perform(action, context)
        if isOver { return }
      }
    } catch {
      fail(context, "the mail server does not speak SMTP")
    }
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if case .handshakeCompleted? = event as? TLSUserEvent, !isImplicitTLS {
      perform(conversation.tlsEstablished(), context)
    }
    context.fireUserInboundEventTriggered(event)
  }

  func channelInactive(context: ChannelHandlerContext) {
    fail(context, "the mail server closed the connection before it took the message")
    context.fireChannelInactive()
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    // A certificate may be put right, so this is tried again like any failure of the network.
    let text = TextEscape.line(String("\(error)".prefix(160)))
    let isTLS = error is NIOSSLError || error is BoringSSLError || error is NIOSSLExtraError
    let isStranger = text.contains("CERTIFICATE_VERIFY_FAILED")
    let advice = isStranger ? "; name its authority as certificate_authority" : ""
    fail(
      context,
      isTLS ? "TLS with the mail server failed: \(text)\(advice)" : "connection failed: \(text)")
  }

  private func perform(_ action: SMTPConversation.Action, _ context: ChannelHandlerContext) {
    switch action {
    case .send(let bytes):
      startTimer(context)
      context.writeAndFlush(
        wrapOutboundOut(context.channel.allocator.buffer(bytes: bytes)), promise: nil)
    case .startTLS:
      startTimer(context)
      do {
        try context.pipeline.syncOperations.addHandler(makeTLS(), position: .first)
      } catch {
        fail(context, "TLS cannot be prepared: \(TextEscape.line(String("\(error)".prefix(160))))")
      }
    case .finish(let leftOut):
      isOver = true
      timer?.cancel()
      result.succeed(leftOut)
      // The message is taken; nobody needs the answer to QUIT.
      let goodbye = context.channel.allocator.buffer(string: "QUIT\r\n")
      let channel = context.channel
      context.writeAndFlush(wrapOutboundOut(goodbye))
        .whenComplete { _ in channel.close(promise: nil) }
    case .fail(let error): end(context, error)
    }
  }

  private func startTimer(_ context: ChannelHandlerContext) {
    timer?.cancel()
    let handler = NIOLoopBound((self, context), eventLoop: context.eventLoop)
    timer = context.eventLoop.scheduleTask(in: commandTimeout) {
      let (handler, context) = handler.value
      handler.fail(context, "the mail server did not answer in time")
    }
  }

  private func fail(_ context: ChannelHandlerContext, _ reason: String) {
    end(context, DeliveryError(retryable: true, reason))
  }

  private func end(_ context: ChannelHandlerContext, _ error: DeliveryError) {
    guard !isOver else { return }
    isOver = true
    timer?.cancel()
    result.fail(error)
    context.close(promise: nil)
  }
}
