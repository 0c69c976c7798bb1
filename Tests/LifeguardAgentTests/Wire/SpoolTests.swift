import Glibc
import TestSupport
import Testing

@testable import LifeguardAgent

/// The queue on disk before a store.
@Suite struct SpoolTests {
  private func content(_ number: Int, bytes: Int = 100) -> [UInt8] {
    (0..<bytes).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ number) }
  }

  /// Every record from a place to the end.
  private func records(_ spool: inout Spool, from start: Spool.Position) -> [[UInt8]] {
    var found: [[UInt8]] = []
    var position = start
    while let record = spool.record(at: position) {
      found.append(record.content)
      position = record.end
    }
    return found
  }

  private let beginning = Spool.Position(segment: 0, offset: 0)

  @Test func `what was written is read in order, also by the next one that opens it`() throws {
    let folder = try TemporaryFolder()
    defer { folder.remove() }
    let path = folder / "q"
    var spool = try Spool(folder: path, bytesMax: 1 << 20, samplesMax: 1000)
    for number in 0..<10 { try spool.append(content(number), samples: 5) }
    #expect(spool.waitingSamples == 50)
    #expect(records(&spool, from: beginning) == (0..<10).map { content($0) })
    // As after `kill -9`: nothing is closed.
    var next = try Spool(folder: path, bytesMax: 1 << 20, samplesMax: 1000)
    #expect(next.waitingSamples == 50)
    try next.append(content(10), samples: 1)
    #expect(records(&next, from: beginning) == (0...10).map { content($0) })
    next.close()
    spool.close()
  }

  @Test func `what is settled is not read again after a restart`() throws {
    let folder = try TemporaryFolder()
    defer { folder.remove() }
    let path = folder / "q"
    var spool = try Spool(folder: path, bytesMax: 1 << 20, samplesMax: 1000)
    for number in 0..<10 { try spool.append(content(number), samples: 5) }
    let second = try #require(spool.record(at: beginning).flatMap { spool.record(at: $0.end) })
    spool.settle(second.end, samples: 10)
    #expect(spool.waitingSamples == 40)
    var next = try Spool(folder: path, bytesMax: 1 << 20, samplesMax: 1000)
    #expect(next.waitingSamples == 40)
    #expect(next.cursor == second.end)
    #expect(records(&next, from: next.cursor) == (2..<10).map { content($0) })
    next.close()
    spool.close()
  }

  @Test func `a record that was cut or damaged ends its file and hurts nothing else`() throws {
    let folder = try TemporaryFolder()
    defer { folder.remove() }
    for damage in 0..<2 {
      let path = folder / "q\(damage)"
      var spool = try Spool(folder: path, bytesMax: 1 << 20, samplesMax: 1000)
      for number in 0..<5 { try spool.append(content(number), samples: 1) }
      spool.close()
      let file = path + "/0000000001.spool"
      if damage == 0 {
        #expect(truncate(file, 4 * 112 + 50) == 0)
      } else {
        let descriptor = open(file, O_WRONLY | O_CLOEXEC)
        #expect(pwrite(descriptor, [UInt8(0xEE)], 1, 4 * 112 + 40) == 1)
        close(descriptor)
      }
      var next = try Spool(folder: path, bytesMax: 1 << 20, samplesMax: 1000)
      #expect(next.waitingSamples == 4)
      try next.append(content(9), samples: 1)
      #expect(records(&next, from: beginning) == [0, 1, 2, 3, 9].map { content($0) })
      next.close()
    }
  }

  @Test func `the oldest file goes when there is no room, with what it held counted`() throws {
    let folder = try TemporaryFolder()
    defer { folder.remove() }
    var spool = try Spool(folder: folder / "q", bytesMax: 1 << 20, samplesMax: 80)
    for number in 0..<30 { try spool.append(content(number), samples: 1) }
    #expect(spool.dropOldest() == 10)
    #expect(spool.waitingSamples == 20)
    #expect(records(&spool, from: beginning).first == content(10))
    #expect(spool.dropOldest() == 10)
    #expect(spool.dropOldest() == nil)
    #expect(spool.waitingSamples == 10)
    spool.close()
  }

  @Test func `a damaged place is no place`() throws {
    let folder = try TemporaryFolder()
    defer { folder.remove() }
    let path = folder / "q"
    var spool = try Spool(folder: path, bytesMax: 1 << 20, samplesMax: 1000)
    try spool.append(content(1), samples: 1)
    spool.close()
    for text in ["", "9 9 9\n", "1 112 0\n", "x\n", String(repeating: "7", count: 500)] {
      try TextFile.write(text, to: path + "/cursor")
      var next = try Spool(folder: path, bytesMax: 1 << 20, samplesMax: 1000)
      #expect(next.waitingSamples == 1, "\(text)")
      next.close()
    }
  }
}
