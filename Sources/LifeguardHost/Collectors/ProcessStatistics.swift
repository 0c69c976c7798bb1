/// What `/proc/<pid>/stat` says about a process (proc_pid_stat(5)).
struct ProcessStatistics {
  var name: String
  /// `R`, `S`, `D`, `Z`, `T` …
  var state: UInt8
  var parent: Int32
  var minorFaults: UInt64
  var majorFaults: UInt64
  var userTicks: UInt64
  var systemTicks: UInt64
  var threads: UInt64
  var startTicks: UInt64
  var virtualBytes: UInt64
  var residentPages: UInt64

  /// Parses one line; `nil` when it is cut off or not such a line.
  ///
  /// The name stands in parentheses and may contain spaces and parentheses itself, so it ends with
  /// the last one.
  init?(_ content: inout ByteCursor) {
    guard content.take(before: UInt8(ascii: "(")) != nil,
      let name = content.take(beforeLast: UInt8(ascii: ")"))
    else { return nil }
    content.skipSpaces()
    guard let state = content.peek, state > 0x20 else { return nil }
    _ = content.word()
    guard let parent = content.signed() else { return nil }
    content.skipWords(5)
    guard let minor = content.unsigned() else { return nil }
    content.skipWords(1)
    guard let major = content.unsigned() else { return nil }
    content.skipWords(1)
    guard let user = content.unsigned(), let system = content.unsigned() else { return nil }
    content.skipWords(4)
    guard let threads = content.unsigned() else { return nil }
    content.skipWords(1)
    guard let start = content.unsigned(), let virtual = content.unsigned(),
      let resident = content.signed()
    else { return nil }
    self.name = text(name)
    self.state = state
    self.parent = Int32(truncatingIfNeeded: parent)
    minorFaults = minor
    majorFaults = major
    userTicks = user
    systemTicks = system
    self.threads = threads
    startTicks = start
    virtualBytes = virtual
    residentPages = UInt64(max(0, resident))
  }
}
