import Glibc
import LifeguardCore
import Testing

@testable import LifeguardStore

/// A file system of 1 MiB that goes away with the value; needs root and CAP_SYS_ADMIN.
private final class SmallDisk {
  let path: String
  private let folder: TemporaryFolder

  static let isPossible: Bool = {
    guard geteuid() == 0 else { return false }
    return (try? SmallDisk()) != nil  // only whether it can be mounted is asked
  }()

  init() throws {
    folder = try TemporaryFolder()
    path = "\(folder.path)/disk"
    mkdir(path, 0o700)
    try #require(mount("lifeguard-test", path, "tmpfs", 0, "size=1m") == 0)
  }

  deinit { umount2(path, Int32(MNT_DETACH)) }

  /// Fills what is left.
  func fill() -> String {
    let file = "\(path)/ballast"
    let descriptor = open(file, O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
    let block = [UInt8](repeating: 1, count: 4096)
    while write(descriptor, block, block.count) > 0 {}
    close(descriptor)
    return file
  }

  func setReadOnly(_ readOnly: Bool) {
    let flags = UInt(MS_REMOUNT) | (readOnly ? UInt(MS_RDONLY) : 0)
    mount("lifeguard-test", path, "tmpfs", flags, "size=1m")
  }
}

@Suite(.enabled(if: SmallDisk.isPossible, "mounting a small file system needs root"))
struct `A full disk` {
  @Test func `what waits in memory goes out when there is room again`() throws {
    let disk = try SmallDisk()
    let data = "\(disk.path)/data"
    do {
      let store = try StateStore.open(data)
      try store.commit(StateChange(state: [1]))
      let ballast = disk.fill()
      let buffered = BufferedStateStore(store)
      for number in 2..<60 {
        var change = StateChange(state: [UInt8](repeating: UInt8(number), count: 50_000))
        change.timeline = [
          TimelineRecord(
            incident: "i", sequence: number, at: milliseconds(1), kind: "k", json: "{}")
        ]
        buffered.commit(change)
      }
      guard case .diskFull = buffered.failure else {
        Issue.record("\(String(describing: buffered.failure))")
        return
      }
      #expect(try store.restore().state?.count == 1)
      unlink(ballast)
      guard case .durable = buffered.flush() else {
        Issue.record("\(String(describing: buffered.failure))")
        return
      }
      #expect(buffered.failure == nil)
      #expect(buffered.entriesLost == 0)
    }
    let store = try StateStore.open(data)
    #expect(store.outcome == .opened)
    #expect(try store.restore().state?.first == 59)
    #expect(try store.timeline(incident: "i").map(\.sequence) == Array(2..<60))
  }

  @Test func `a start on a full disk is refused for that reason`() throws {
    let disk = try SmallDisk()
    _ = disk.fill()
    let error = #expect(throws: StoreError.self) { try StateStore.open("\(disk.path)/data") }
    guard case .diskFull = error else {
      Issue.record("\(String(describing: error))")
      return
    }
  }

  @Test func `a read-only disk is told from a full one`() throws {
    let disk = try SmallDisk()
    mkdir("\(disk.path)/data", 0o700)
    disk.setReadOnly(true)
    let error = #expect(throws: StoreError.self) { try StateStore.open("\(disk.path)/data") }
    guard case .notWritable(_, let reason) = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(reason.contains("Read-only"))
  }
}
