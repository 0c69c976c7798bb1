import LifeguardCore
import Testing

/// Budgets, cool-downs and breakers by themselves.
@Suite struct GuardRailNumbersTests {
  private func moment(_ seconds: Double, boot: String = "a") -> Moment {
    Moment(
      wall: Timestamp(seconds: 1_790_000_000 + seconds),
      boottime: .milliseconds(Int64(seconds * 1000)), bootID: boot)
  }

  @Test(arguments: 1...40 as ClosedRange<UInt64>)
  func `no window ever holds more uses than the limit`(_ seed: UInt64) {
    var state = seed
    func random(_ limit: UInt64) -> UInt64 {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return (state >> 33) % limit
    }
    let limit = UsageLimit(count: 1 + Int(random(4)), per: .seconds(Double(10 + random(100))))
    var budget = Budget()
    var uses: [Double] = []
    var now = 0.0
    for _ in 0..<400 {
      now += Double(random(20))
      let wait = budget.wait(for: "x", limit: limit, at: moment(now))
      let inWindow = uses.count { now - $0 < limit.window.seconds }
      let fits = inWindow < limit.count
      #expect((wait == nil) == fits)
      if wait == nil {
        budget.use("x", at: moment(now))
        uses.append(now)
      } else if let wait {
        #expect(wait > .zero && wait <= limit.window)
      }
      if random(10) == 0 { budget.prune(longest: limit.window, at: moment(now)) }
    }
  }

  @Test func `uses of several keys are counted together by how they begin`() {
    var budget = Budget()
    for (key, at) in [("target|instance:a", 0.0), ("target|asg:b", 5), ("target|unit:c", 5)] {
      budget.use(key, at: moment(at))
    }
    let prefixes = ["target|instance:", "target|asg:"]
    #expect(budget.used(prefixes: prefixes, window: .seconds(10), at: moment(6)) == 2)
    #expect(budget.used(prefixes: prefixes, window: .seconds(10), at: moment(12)) == 1)
    #expect(budget.used(prefixes: [], window: .seconds(10), at: moment(6)) == 0)
  }

  @Test func `a group excludes servers, any of which may be a member`() {
    let policy = Policy(host: "fleet")
    let (group, server) = (Target(.asg, "web"), Target(.instance, "i-1"))
    #expect(policy.conflict(group, server))
    #expect(policy.conflict(server, group))
    #expect(!policy.conflict(server, Target(.instance, "i-2")))
    #expect(!policy.conflict(group, Target(.asg, "db")))
  }

  @Test func `a disruptive rung rests, twice as long after each failure, up to the cap`() {
    var cooldown = Cooldown()
    func wait(_ at: Double, disruptive: Bool = true) -> Duration? {
      cooldown.wait(
        for: "r|t|0", base: .seconds(60), cap: .seconds(300), disruptive: disruptive,
        at: moment(at))
    }
    #expect(wait(0) == nil)
    cooldown.used("r|t|0", at: moment(0))
    #expect(wait(59) == .seconds(1))
    #expect(wait(60) == nil)
    func fail() {
      cooldown.failed("r|t|0", base: .seconds(60), cap: .seconds(300), disruptive: true)
    }
    fail()
    #expect(wait(100) == .seconds(20))
    for _ in 0..<30 { fail() }
    #expect(wait(100) == .seconds(200))
  }

  @Test func `a rung that harms nothing and has not failed needs no rest`() {
    var cooldown = Cooldown()
    cooldown.used("r|t|0", at: moment(0))
    func wait() -> Duration? {
      cooldown.wait(
        for: "r|t|0", base: .seconds(60), cap: .seconds(3600), disruptive: false, at: moment(1))
    }
    #expect(wait() == nil)
    cooldown.failed("r|t|0", base: .seconds(60), cap: .seconds(3600), disruptive: false)
    #expect(wait() == .seconds(59))
  }

  @Test func `each half hour of health halves the pause, however it came`() {
    var cooldown = Cooldown()
    let (base, cap) = (Duration.seconds(60), Duration.seconds(3600))
    cooldown.used("r|host|0", at: moment(0))
    for _ in 0..<30 { cooldown.failed("r|host|0", base: base, cap: cap, disruptive: true) }
    func pause() -> Duration? {
      cooldown.wait(for: "r|host|0", base: base, cap: cap, disruptive: true, at: moment(0))
    }
    #expect(pause() == cap)
    cooldown.healthy(.host, at: moment(10))
    var pauses: [Double] = []
    for step in 1...7 {
      let now = moment(10 + Double(step) * 1800)
      cooldown.decay(halving: .seconds(1800), cap: .seconds(1_000_000), at: now)
      pauses.append(pause()?.seconds ?? 0)
    }
    #expect(pauses == [1920, 960, 480, 240, 120, 60, 60])
  }

  @Test func `without being told otherwise a machine is rebooted once in 6 h and twice a day`() {
    let settings = GuardRailSettings()
    #expect(settings.rebootBudget == UsageLimit(count: 1, per: .seconds(21_600)))
    #expect(settings.rebootDayBudget == UsageLimit(count: 2, per: .seconds(86_400)))
    #expect(Harm.reboot.isReboot && Harm.replace.isReboot && !Harm.stopCleanStart.isReboot)
  }

  @Test func `what may restart a service tests its configuration first`() {
    let script = Command(arguments: ["/opt/fix"])
    var gentle = script
    gentle.disruptive = false
    let tested: [Step] = [
      .start, .restart, .stopCleanStart, .reload, .run(script), .signal("TERM"),
    ]
    #expect(tested.filter(\.testsConfiguration) == tested)
    let others: [Step] = [.run(gentle), .signal("CONT"), .nudge, .stop, .page(receiver: nil)]
    #expect(others.filter(\.testsConfiguration).isEmpty)
  }

  @Test func `a breaker opens after its passes, tries once, and stays open twice as long`() {
    var breaker = Breaker()
    let settings = GuardRailSettings()
    let opened = [0, 1, 2].map { breaker.passFailed(settings, at: moment($0)) }
    #expect(opened == [false, false, true])
    #expect(breaker.wait(at: moment(2)) == .seconds(1800))
    let moved = [1801, 1802].map { breaker.refresh(at: moment($0)) }
    #expect(moved == [false, true])
    #expect(breaker.wait(at: moment(1802)) == nil)
    let openedAgain = breaker.passFailed(settings, at: moment(1900))
    #expect(openedAgain)
    #expect(breaker.wait(at: moment(1900)) == .seconds(3600))
    for time in 1...10 {
      _ = breaker.refresh(at: moment(Double(time) * 30_000))
      _ = breaker.passFailed(settings, at: moment(Double(time) * 30_000))
    }
    #expect(breaker.wait(at: moment(300_000)) == .seconds(21_600))
    breaker.recovered()
    #expect(breaker.wait(at: moment(300_000)) == nil && breaker.passes == 0)
  }

  @Test func `every guard rail has a number of its own, and each guard stands for one`() {
    let numbers = GuardRail.allCases.map(\.rawValue)
    #expect(Set(numbers).count == numbers.count)
    let odd = numbers.filter { $0.first != "G" || !(1...30).contains(Int($0.dropFirst()) ?? 0) }
    #expect(odd.isEmpty)
    let rails = Guard.standard.map(\.rail)
    #expect(Set(rails).count == rails.count)
  }
}
