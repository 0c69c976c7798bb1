import Glibc
import LifeguardCore
import Testing

@testable import LifeguardStore

private func message(_ key: String, at time: Int64, attempts: Int = 0) -> OutboxMessage {
  OutboxMessage(
    key: key, receiver: "ops", channel: "slack", incident: "i1", payload: #"{"text":"é"}"#,
    attempts: attempts, nextAttempt: milliseconds(time))
}

private func entry(_ sequence: Int, at time: Int64, _ incident: String = "i1") -> TimelineRecord {
  TimelineRecord(
    incident: incident, sequence: sequence, at: milliseconds(time), kind: "acted", json: "{}")
}

private let child = SupervisedChild(
  service: "web", process: 4711, startTicks: .max, logPath: "/var/log/web.log")

@Suite struct `The durable state` {
  let folder: TemporaryFolder
  let path: String

  init() throws {
    folder = try TemporaryFolder()
    path = "\(folder.path)/data"
  }

  private var file: String { "\(path)/state.db" }

  private func commitState(_ text: String) throws {
    try StateStore.open(path).commit(StateChange(state: Array(text.utf8)))
  }

  @Test func `what was committed is there at the next start`() throws {
    let incident = IncidentSummary(
      id: "i1", opened: milliseconds(5), target: "service:web", json: #"{"a":1}"#)
    do {
      let store = try StateStore.open(path)
      #expect(store.outcome == .created)
      #expect(try store.restore().state == nil)
      var change = StateChange(state: Array("one".utf8))
      change.incidents = [incident]
      change.timeline = [entry(1, at: 5), entry(2, at: 6)]
      change.outbox = [.put(message("a", at: 10)), .put(message("b", at: 30))]
      change.children = [
        .put(child),
        .put(
          SupervisedChild(
            service: "gone", process: 1, startTicks: 2, logPath: "")),
      ]
      try store.commit(change)
      var second = StateChange()
      second.outbox = [.put(message("a", at: 20, attempts: 1)), .remove(key: "b")]
      second.children = [.remove(service: "gone")]
      try store.commit(second)
    }
    let store = try StateStore.open(path)
    #expect(store.outcome == .opened)
    let restored = try store.restore()
    #expect(restored.state == Array("one".utf8))
    #expect(restored.outbox == [message("a", at: 20, attempts: 1)])
    #expect(restored.children == [child])
    #expect(try store.incidents(limit: 10) == [incident])
    #expect(try store.timeline(incident: "i1") == [entry(1, at: 5), entry(2, at: 6)])
    #expect(try store.due(at: milliseconds(19)).isEmpty)
    #expect(try store.due(at: milliseconds(20)).map(\.key) == ["a"])
  }

  @Test func `incidents come newest first, page by page`() throws {
    let store = try StateStore.open(path)
    var change = StateChange()
    change.incidents = (1...5).map {
      IncidentSummary(id: "i\($0)", opened: milliseconds($0), target: "host", json: "{}")
    }
    try store.commit(change)
    #expect(try store.incidents(limit: 2).map(\.id) == ["i5", "i4"])
    #expect(try store.incidents(limit: 9, before: milliseconds(4)).map(\.id) == ["i3", "i2", "i1"])
  }

  @Test func `an in-flight message is pending again after a restart, an abandoned one is not due`()
    throws
  {
    do {
      var change = StateChange()
      var sending = message("a", at: 1)
      sending.state = .inFlight
      var given = message("b", at: 1)
      given.state = .abandoned
      change.outbox = [.put(sending), .put(given)]
      try StateStore.open(path).commit(change)
    }
    let store = try StateStore.open(path)
    #expect(try store.restore().outbox.map(\.state) == [.pending, .abandoned])
    #expect(try store.due(at: milliseconds(2)).map(\.key) == ["a"])
  }

  @Test func `a change takes effect whole or not at all`() throws {
    let store = try StateStore.open(path)
    try store.commit(StateChange(state: [1]))
    var change = StateChange(state: [UInt8](repeating: 0, count: StateStore.stateBytesMax + 1))
    change.timeline = [entry(1, at: 1)]
    #expect(throws: StoreError.self) { try store.commit(change) }
    #expect(try store.restore().state == [1])
    #expect(try store.timeline(incident: "i1").isEmpty)
    change.state = [2]
    try store.commit(change)
    #expect(try store.timeline(incident: "i1").count == 1)
  }

  @Test func `files are for their owner alone`() throws {
    let store = try StateStore.open(path)
    try store.commit(StateChange(state: [1]))
    #expect(mode(path) == 0o700)
    for name in names(path) { #expect(mode("\(path)/\(name)") == 0o600, "\(name)") }
    #expect(names(path).contains("state.db-wal"))
  }

  @Test func `a directory open to others is closed`() throws {
    mkdir(path, 0o755)
    _ = try DataDirectory(path: path)
    #expect(mode(path) == 0o700)
  }

  @Test func `a second agent is refused with the first one's process id`() throws {
    let first = try StateStore.open(path)
    let error = #expect(throws: StoreError.self) { try StateStore.open(path) }
    #expect("\(try #require(error))".contains("in use by another agent (process \(getpid()))"))
    _ = first.outcome
  }

  @Test func `the lock goes with its owner`() throws {
    _ = try StateStore.open(path)
    _ = try StateStore.open(path)
  }

  @Test func `a newer version is refused and left alone`() throws {
    try commitState("one")
    do {
      let database = try Database(path: file)
      try database.execute("PRAGMA user_version=7")
    }
    let error = #expect(throws: StoreError.self) { try StateStore.open(path) }
    #expect(
      "\(try #require(error))"
        == "state.db was written by a newer version (7; this one knows up to 1): "
        + "use that version, or another data directory")
    #expect(names(path).contains("state.db"))
  }

  @Test(arguments: [(0, 64), (100, 4000), (4096 * 2, 3000)])
  func `a damaged file is set aside and a new one begun`(offset: Int, count: Int) throws {
    try commitState(String(repeating: "x", count: 30_000))
    damage(file, at: offset, [UInt8](repeating: 0xA5, count: count))
    let before = size(file)
    let store = try StateStore.open(path)
    guard case .recoveredFromCorruption(let aside, let reason) = store.outcome else {
      Issue.record("\(store.outcome)")
      return
    }
    #expect(aside == "\(file).corrupt-20231114T221320Z")
    #expect(!reason.isEmpty)
    #expect(size(aside) == before)
    #expect(try store.restore().state == nil)
    try store.commit(StateChange(state: [9]))
    #expect(try store.restore().state == [9])
  }

  @Test func `two damaged files are both kept`() throws {
    for _ in 0..<2 {
      try commitState("one")
      damage(file, at: 0, [UInt8](repeating: 0, count: 100))
      _ = try StateStore.open(path)
    }
    #expect(names(path).filter { $0.contains("corrupt") }.count == 2)
  }

  @Test func `a file cut short at any page is set aside or still whole`() throws {
    try commitState(String(repeating: "x", count: 60_000))
    let whole = size(file)
    for cut in stride(from: whole - 1, to: 100, by: -9000) {
      truncate(file, off_t(cut))
      let store = try StateStore.open(path)
      guard case .recoveredFromCorruption = store.outcome else {
        Issue.record("cut at \(cut): \(store.outcome)")
        return
      }
      try store.commit(StateChange(state: Array(repeating: 1, count: 60_000)))
    }
  }

  @Test func `a state that cannot be decoded counts as damage`() throws {
    struct Undecodable: Error {}
    try commitState("one")
    let store = try StateStore(
      in: DataDirectory(path: path), now: milliseconds(0), validate: { _ in throw Undecodable() })
    guard case .recoveredFromCorruption(_, let reason) = store.outcome else {
      Issue.record("\(store.outcome)")
      return
    }
    #expect(reason.contains("Undecodable"))
  }

  private func outcome() throws -> OpenOutcome { try StateStore.open(path).outcome }

  @Test func `a lost file is noticed`() throws {
    try commitState("one")
    unlink(file)
    #expect(try outcome() == .startedEmpty(reason: "state.db is missing"))
    truncate(file, 0)
    #expect(try outcome() == .startedEmpty(reason: "state.db is empty"))
  }

  @Test func `a torn journal loses only what it had not finished`() throws {
    // A copy of the files of a running store is what a crash leaves.
    let store = try StateStore.open(path)
    try store.commit(StateChange(state: Array("one".utf8)))
    let safe = size("\(file)-wal")
    try store.commit(StateChange(state: Array("two".utf8)))
    let whole = size("\(file)-wal")
    for cut in stride(from: whole, to: safe, by: -977) {
      let copy = "\(folder.path)/copy\(cut)"
      mkdir(copy, 0o700)
      for name in ["state.db", "state.db-wal"] {
        try duplicate("\(path)/\(name)", "\(copy)/\(name)")
      }
      truncate("\(copy)/state.db-wal", off_t(cut))
      let restored = try StateStore.open(copy).restore()
      #expect(restored.state == Array((cut == whole ? "two" : "one").utf8), "cut at \(cut)")
    }
  }

  private func duplicate(_ from: String, _ to: String) throws {
    let source = try #require(fopen(from, "re"))
    let target = try #require(fopen(to, "we"))
    defer {
      fclose(source)
      fclose(target)
    }
    var buffer = [UInt8](repeating: 0, count: 65536)
    while case let count = fread(&buffer, 1, buffer.count, source), count > 0 {
      fwrite(buffer, 1, count, target)
    }
  }

  @Test func `the audit is bounded by age and by count, open incidents stay`() throws {
    let store = try StateStore.open(path)
    var change = StateChange()
    change.incidents = [
      IncidentSummary(
        id: "old", opened: milliseconds(1), closed: milliseconds(2), target: "host", json: "{}"),
      IncidentSummary(id: "open", opened: milliseconds(1), target: "host", json: "{}"),
    ]
    change.timeline = [entry(1, at: 1, "old"), entry(1, at: 1, "open")]
    change.timeline += (0..<500).map { entry($0, at: 100, "new") }
    try store.commit(change)
    try store.prune(before: milliseconds(50))
    #expect(try store.incidents(limit: 9).map(\.id) == ["open"])
    #expect(try store.timeline(incident: "old").isEmpty)
    #expect(try store.timeline(incident: "open").count == 1)
    #expect(try store.timeline(incident: "new").count == 500)
    try store.prune(before: milliseconds(50), entriesMax: 100)
    #expect(try store.timeline(incident: "new").map(\.sequence) == Array(400..<500))
  }

  @Test func `pages read beside the writer`() async throws {
    let store = try StateStore.open(path)
    var change = StateChange(state: [1])
    change.timeline = [entry(1, at: 1)]
    change.incidents = [
      IncidentSummary(id: "i1", opened: milliseconds(1), target: "host", json: "{}")
    ]
    try store.commit(change)
    let archive = StateArchive(path: file)
    #expect(try await archive.incidents(limit: 1).map(\.id) == ["i1"])
    #expect(try await archive.timeline(incident: "i1") == [entry(1, at: 1)])
    try store.commit(StateChange(state: [2]))
    #expect(try await archive.incidents(limit: 1).count == 1)
  }

  @Test func `a data directory that cannot be is refused with the reason`() throws {
    let notFolder = "\(folder.path)/file"
    close(open(notFolder, O_WRONLY | O_CREAT | O_CLOEXEC, 0o600))
    let first = #expect(throws: StoreError.self) { try DataDirectory(path: notFolder) }
    #expect("\(try #require(first))".contains("is not a directory"))
    let second = #expect(throws: StoreError.self) { try DataDirectory(path: "\(notFolder)/a/b") }
    #expect("\(try #require(second))".contains("file"))
    let third = #expect(throws: StoreError.self) { try DataDirectory(path: "/proc/lifeguard") }
    #expect("\(try #require(third))".contains("cannot be written"))
    _ = try DataDirectory(path: "\(folder.path)/a/b/c")
    #expect(mode("\(folder.path)/a/b/c") == 0o700)
  }

  @Test func `a directory of somebody else's is not taken over`() throws {
    let foreign = "\(folder.path)/foreign"
    mkdir(foreign, 0o755)
    // A kill switch may lie there before the first start.
    for name in ["freeze", "lost+found"] {
      close(open("\(foreign)/\(name)", O_WRONLY | O_CREAT | O_CLOEXEC, 0o600))
    }
    try DataDirectory.check(foreign)
    close(open("\(foreign)/passwd", O_WRONLY | O_CREAT | O_CLOEXEC, 0o644))
    let refused = #expect(throws: StoreError.self) { try DataDirectory(path: foreign) }
    #expect("\(try #require(refused))".contains("it holds \"passwd\""))
    #expect(mode(foreign) == 0o755)
    // One that an agent has used before is its own, whatever else lies there.
    close(open("\(foreign)/lock", O_WRONLY | O_CREAT | O_CLOEXEC, 0o600))
    _ = try DataDirectory(path: foreign)
    chmod(foreign, 0o1777)
    #expect(throws: StoreError.self) { try DataDirectory(path: foreign) }
    try DataDirectory.check("\(folder.path)/new/one")
  }

  @Test(.enabled(if: Writer.program != nil, "the program store-writer was not built"))
  func `a writer killed at random moments loses nothing that it had committed`() throws {
    let program = try #require(Writer.program)
    var random = SystemRandomNumberGenerator()
    var last: Int64 = 0
    for _ in 0..<25 {
      let writer = try Writer(program, folder: path)
      let told = writer.kill(after: .random(in: 0...20_000, using: &random))
      let store = try StateStore.open(path)
      #expect(store.outcome == .opened)
      let restored = try store.restore()
      let state = try #require(restored.state)
      let found = try #require(Int64(String(decoding: state.prefix(12), as: UTF8.self)))
      // The commit that was under way when it was killed may be there, whole.
      #expect(found == told || found == told + 1)
      #expect(told > last)
      #expect(try store.timeline(incident: "i").last?.sequence == Int(found))
      #expect(restored.outbox.map(\.key) == (max(1, found - 2)...found).map { "k\($0)" })
      last = found
    }
  }
}
