import CLinux
import Glibc
import Synchronization

/// One TCP or HTTP probe on its way: a non-blocking socket on the reactor, no thread.
///
/// ```
/// connecting ──▶ (tcp) done
///     │  next address when refused
///     └─▶ sending ──▶ receiving ──▶ status and body judged ──▶ done
/// ```
final class ConnectionProbe: Sendable {
  /// What is asked for after connecting; nil for a TCP probe.
  struct Question: Sendable {
    var request: [UInt8]
    var statuses: ClosedRange<Int>
    var body: [UInt8]?
  }

  private struct State {
    var socket: Int32 = -1
    var token: Reactor.Token?
    var addresses: ArraySlice<SocketAddress> = []
    var isConnected = false
    var unsent: ArraySlice<UInt8> = []
    var received: [UInt8] = []
    var isDone = false
  }

  private let reactor: Reactor
  private let question: Question?
  private let startedAt = BootClock.now()
  private let result: OneShot<ProbeAnswer>
  private let state = Mutex(State())

  /// More than any health page; a larger body is judged by its beginning.
  private static let receivedMax = 256 * 1024

  init(reactor: Reactor, question: Question?, result: OneShot<ProbeAnswer>) {
    self.reactor = reactor
    self.question = question
    self.result = result
  }

  func begin(_ addresses: [SocketAddress], name: String) {
    guard !addresses.isEmpty else {
      return finish(.failed(.nameResolution, "\(name) has no address"))
    }
    let outcome: ProbeAnswer? = state.withLock { state in
      guard !state.isDone else { return nil }
      state.addresses = addresses[...]
      return connectNext(&state)
    }
    if let outcome { finish(outcome) }
  }

  /// Ends the probe with a result from outside: its timeout, or cancellation.
  func end(_ failure: ProbeAnswer.Failure, _ message: String) {
    let isConnected = state.withLock { $0.isConnected }
    finish(.failed(failure, isConnected ? "\(message) after connecting" : message))
  }

  private func connectNext(_ state: inout State) -> ProbeAnswer? {
    guard let address = state.addresses.first else {
      return .failed(.unreachable, "no address is left to try")
    }
    closeSocket(&state)
    state.socket = clinux_socket(address.family, Int32(SOCK_STREAM.rawValue))
    guard state.socket >= 0 else {
      return .failed(.unreachable, "\(SystemCallError(call: "socket"))")
    }
    let code = address.connect(state.socket)
    guard code == 0 || code == EINPROGRESS else { return connectFailed(code, &state) }
    do throws(SystemCallError) {
      // The registration holds the probe until it is done.
      state.token = try reactor.watch(state.socket, for: .writable) { events in
        self.ready(events)
      }
      return nil
    } catch {
      return .failed(.unreachable, "\(error)")
    }
  }

  private func connectFailed(_ code: Int32, _ state: inout State) -> ProbeAnswer? {
    guard let address = state.addresses.popFirst() else { return nil }
    if !state.addresses.isEmpty { return connectNext(&state) }
    switch code {
    case ECONNREFUSED: return .failed(.refused, "refused by \(address)")
    case ETIMEDOUT: return .failed(.timeout, "no answer from \(address)")
    default: return .failed(.unreachable, "\(address): \(SystemCallError.message(for: code))")
    }
  }

  private func ready(_ events: Reactor.Events) {
    let outcome: ProbeAnswer? = state.withLock { state in
      guard !state.isDone, state.socket >= 0 else { return nil }
      if !state.isConnected { return connected(&state) }
      if !state.unsent.isEmpty { return send(&state) }
      return receive(&state)
    }
    if let outcome { finish(outcome) }
  }

  private func connected(_ state: inout State) -> ProbeAnswer? {
    var code: Int32 = 0
    var size = socklen_t(MemoryLayout<Int32>.size)
    getsockopt(state.socket, SOL_SOCKET, SO_ERROR, &code, &size)
    if code != 0 { return connectFailed(code, &state) }
    state.isConnected = true
    guard let question else {
      let place = state.addresses.first?.description ?? ""
      return ProbeAnswer(success: true, message: "connected to \(place)")
    }
    state.unsent = question.request[...]
    return send(&state)
  }

  private func send(_ state: inout State) -> ProbeAnswer? {
    while !state.unsent.isEmpty {
      let count = state.unsent.withUnsafeBytes {
        Glibc.send(state.socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
      }
      if count < 0 {
        return errno == EAGAIN
          ? nil : .failed(.closed, "the connection ended while the request was sent")
      }
      state.unsent = state.unsent.dropFirst(count)
    }
    if let token = state.token { reactor.change(token, of: state.socket, to: .readable) }
    return nil
  }

  private func receive(_ state: inout State) -> ProbeAnswer? {
    let (length, code) = withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 16384) {
      chunk in
      let length = recv(state.socket, chunk.baseAddress, chunk.count, 0)
      let code = errno
      if length > 0 { state.received += chunk[..<length] }
      return (length, code)
    }
    if length < 0 {
      return code == EAGAIN
        ? nil : .failed(.closed, "the connection ended: \(SystemCallError.message(for: code))")
    }
    if length == 0 && state.received.isEmpty {
      return .failed(.closed, "the connection ended without an answer")
    }
    let isOver = length == 0 || state.received.count >= Self.receivedMax
    return judge(HTTPResponse.read(state.received, isClosed: isOver))
  }

  private func judge(_ progress: HTTPResponse.Progress) -> ProbeAnswer? {
    guard let question else { return nil }
    switch progress {
    case .incomplete: return nil
    case .malformed(let message): return .failed(.malformed, message)
    case .head(let status):
      // Without a body to look for, the status says it all, and a stream may never end.
      let isDecided = question.body == nil || !question.statuses.contains(status)
      return isDecided ? judge(HTTPResponse(status: status, body: []), question) : nil
    case .complete(let response): return judge(response, question)
    }
  }

  private func judge(_ response: HTTPResponse, _ question: Question) -> ProbeAnswer {
    let status = response.status
    guard question.statuses.contains(status) else {
      let range = question.statuses
      let wanted =
        range.lowerBound == range.upperBound
        ? "\(range.lowerBound)" : "\(range.lowerBound)-\(range.upperBound)"
      return .failed(.status, "status \(status), expected \(wanted)", httpStatus: status)
    }
    if let body = question.body, !response.body.contains(body) {
      let wanted = String(decoding: body, as: UTF8.self)
      return .failed(.body, "status \(status), body without \"\(wanted)\"", httpStatus: status)
    }
    return ProbeAnswer(success: true, httpStatus: status, message: "status \(status)")
  }

  private func finish(_ outcome: ProbeAnswer) {
    let isFirst = state.withLock { state in
      defer { state.isDone = true }
      closeSocket(&state)
      return !state.isDone
    }
    guard isFirst else { return }
    var outcome = outcome
    outcome.duration = BootClock.now() - startedAt
    result.finish(outcome)
  }

  private func closeSocket(_ state: inout State) {
    guard state.socket >= 0 else { return }
    if let token = state.token { reactor.unwatch(token, of: state.socket) }
    close(state.socket)
    state.socket = -1
    state.token = nil
  }
}
