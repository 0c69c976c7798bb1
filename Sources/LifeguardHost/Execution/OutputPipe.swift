import CLinux
import Glibc
import Synchronization

/// Reads one output stream of a command on the reactor until the command ends.
///
/// It does not wait for the end of the stream: a daemon that the command has started may hold it
/// open for ever.
final class OutputPipe: Sendable {
  private struct State {
    var buffer: OutputBuffer
    var reading: Int32
    var writing: Int32
    var token: Reactor.Token?
  }

  private let state: Mutex<State>
  private let reactor: Reactor

  init(reactor: Reactor, keeping limit: Int) throws(SystemCallError) {
    var ends: [Int32] = [-1, -1]
    guard clinux_pipe(&ends) == 0 else { throw SystemCallError(call: "pipe2") }
    self.reactor = reactor
    state = Mutex(
      State(
        buffer: OutputBuffer(headMax: limit, tailMax: limit), reading: ends[0], writing: ends[1]))
  }

  /// The end that the command gets.
  var writingEnd: Int32 { state.withLock { $0.writing } }

  /// Closes our copy of the writing end and starts to read.
  func begin() throws(SystemCallError) {
    closeWritingEnd()
    let descriptor = state.withLock { $0.reading }
    let token = try reactor.watch(descriptor, for: .readable) { [weak self] _ in self?.readOnce() }
    state.withLock { $0.token = token }
  }

  /// Takes what is still in the pipe, closes it and returns everything.
  func end() -> CapturedOutput {
    closeWritingEnd()
    return state.withLock { state in
      // As much as a pipe can hold (pipe(7)): whoever still writes is not waited for.
      for _ in 0..<64 where read(into: &state) {}
      closeReadingEnd(&state)
      return state.buffer.captured
    }
  }

  private func readOnce() {
    state.withLock { state in
      guard state.reading >= 0 else { return }
      if !read(into: &state) && errno != EAGAIN { closeReadingEnd(&state) }
    }
  }

  /// False at the end of the stream (errno 0), when there is nothing (EAGAIN), and on errors.
  private func read(into state: inout State) -> Bool {
    guard state.reading >= 0 else { return false }
    return withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 16384) { chunk in
      errno = 0
      let length = Glibc.read(state.reading, chunk.baseAddress, chunk.count)
      guard length > 0 else { return false }
      state.buffer.append(chunk[..<length])
      return true
    }
  }

  private func closeWritingEnd() {
    state.withLock { state in
      if state.writing >= 0 { close(state.writing) }
      state.writing = -1
    }
  }

  private func closeReadingEnd(_ state: inout State) {
    guard state.reading >= 0 else { return }
    if let token = state.token { reactor.unwatch(token, of: state.reading) }
    close(state.reading)
    state.reading = -1
    state.token = nil
  }
}
