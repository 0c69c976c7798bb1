import LifeguardCore
import Testing

@Suite struct ShapedFaultTests {
  @Test func `every rule has a shape, in the pack's order`() throws {
    #expect(Shape.all.map(\.rule) == DefaultRules.alerts(of: try DefaultRules.pack()).map(\.name))
  }

  @Test(arguments: Shape.all)
  func `just beyond the threshold it fires in time, stays, and ends in time`(
    shape: Shape
  ) throws {
    var shaper = try Shaper()
    try shaper.run(shape, [shape.calm], for: shape.history)
    let begin = shaper.elapsed
    try shaper.run(shape, [shape.over], for: shape.firesWithin + .seconds(15))
    let fired = try #require(shaper.firings(of: shape.rule).first, "it does not fire")
    #expect(fired.from >= begin)
    #expect(fired.from - begin <= shape.firesWithin, "\(fired)")
    // Around the threshold and above `clear`: still the same alert.
    let short = shape.under == shape.calm ? [] : [shape.under]
    try shaper.run(shape, [shape.over, shape.between] + short, for: .seconds(300))
    #expect(shaper.firings(of: shape.rule).count == 1, "it flaps")
    #expect(shaper.firings(of: shape.rule).first?.to == nil, "it ends too early")
    let end = shaper.elapsed
    try shaper.run(shape, [shape.calm], for: shape.endsWithin + .seconds(15))
    let over = try #require(shaper.firings(of: shape.rule).first?.to, "it does not end")
    #expect(over - end <= shape.endsWithin, "\(over - end)")
    #expect(shaper.firings(of: shape.rule).count == 1)
    check(shaper, shape)
  }

  @Test(arguments: Shape.all)
  func `just short of the threshold it stays quiet`(shape: Shape) throws {
    var shaper = try Shaper(only: [shape.rule])
    try shaper.run(shape, [shape.calm], for: shape.history)
    try shaper.run(shape, [shape.under], for: shape.firesWithin * 2)
    #expect(shaper.firings(of: shape.rule).isEmpty, "\(shaper.replay.firings)")
    check(shaper, shape)
  }

  @Test(arguments: Shape.all.filter { !$0.isEvent })
  func `a single sample beyond the threshold is not a fault`(shape: Shape) throws {
    var shaper = try Shaper(only: [shape.rule])
    try shaper.run(shape, [shape.calm], for: shape.history)
    for _ in 0..<2 {
      try shaper.run(shape, [shape.over], for: .seconds(15))
      try shaper.run(shape, [shape.calm], for: .seconds(300))
    }
    #expect(shaper.firings(of: shape.rule).isEmpty, "\(shaper.replay.firings)")
    check(shaper, shape)
  }

  private func check(_ shaper: Shaper, _ shape: Shape) {
    let others = Set(shaper.replay.firings.map(\.rule)).subtracting([shape.rule])
    #expect(others.subtracting(shape.companions).isEmpty, "\(others)")
    #expect(shaper.replay.contradictions.isEmpty)
    #expect(shaper.replay.problems.isEmpty, "\(shaper.replay.problems)")
  }

  @Test func `a full file system that is read-only on purpose is not a fault`() throws {
    var shaper = try Shaper()
    let image = Shape(
      "HostOutOfDiskSpace", over: 1, under: 1, between: 1, calm: 1, firesWithin: 0, endsWithin: 0
    ) { shaper, _ in
      let mount: Labels = ["device": "/dev/loop7", "mountpoint": "/img", "fstype": "erofs"]
      shaper.gauge("DiskUtilization", ["mountpoint": "/img"], 100)
      shaper.gauge("InodeUtilization", ["mountpoint": "/img"], 100)
      shaper.gauge("node_filesystem_readonly", mount, 1)
      shaper.gauge("node_filesystem_avail_bytes", mount, 0)
    }
    try shaper.run(image, [1], for: .seconds(3600))
    #expect(shaper.replay.firings.isEmpty, "\(shaper.replay.firings)")
  }

  @Test func `an alert about what has gone ends with it`() throws {
    var shaper = try Shaper()
    let shape = try #require(Shape.all.first { $0.rule == "HostOutOfDiskSpace" })
    try shaper.run(shape, [99], for: .seconds(600))
    #expect(shaper.firings(of: shape.rule).count == 1)
    let empty = Shape(
      "", over: 0, under: 0, between: 0, calm: 0, firesWithin: 0, endsWithin: 0
    ) { _, _ in }
    try shaper.run(empty, [0], for: .seconds(60))
    #expect(shaper.firings(of: shape.rule).allSatisfy { $0.to != nil })
  }
}
