import LifeguardCore

/// What is laid down for one seed: services, rules, plans, modes, and the numbers of the guard
/// rails, shortened so that a few minutes hold what takes a day.
struct Scenario {
  /// Who keeps a service when Lifeguard does not.
  enum Keeper { case lifeguard, nobody, systemd }

  struct Rule {
    var rule: AlertRule
    var plan: Plan
    /// The service that its plan acts on.
    var service: String?
  }

  var policy: Policy
  var keepers: [String: Keeper] = [:]
  var rules: [Rule] = []
  /// Booted only just before the history begins.
  var isJustBooted = false

  var serviceNames: [String] { policy.services.keys.sorted() }

  init(seed: UInt64) throws {
    var random = SplitMix64(seed: seed ^ 0xA11CE)
    var settings = GuardRailSettings()
    settings.cooldown = .seconds(8)
    settings.cooldownCap = .seconds(60)
    settings.cooldownHalving = .seconds(16)
    settings.targetBudget = UsageLimit(count: 3, per: .seconds(60))
    settings.actionBudget = UsageLimit(count: 5, per: .seconds(90))
    // One of the two limits is the one that holds.
    let isShortTight = random.chance(500)
    settings.rebootBudget = UsageLimit(count: isShortTight ? 1 : 2, per: .seconds(30))
    settings.rebootDayBudget = UsageLimit(count: isShortTight ? 2 : 1, per: .seconds(90))
    settings.breakerPasses = 2
    settings.breakerOpen = .seconds(40)
    settings.breakerOpenCap = .seconds(160)
    settings.positionKept = .seconds(120)
    settings.minimumUptime = .seconds(20)
    settings.approvalExpiry = .seconds(30)
    let verify = VerificationPolicy(
      settle: .seconds(2), hold: .seconds(4), deadline: .seconds(16))
    isJustBooted = random.chance(150)

    var services: [Service] = []
    var plans: [String: Plan] = [:]
    for (index, name) in ["db", "web", "job"].prefix(2 + random.below(2)).enumerated() {
      let keeper = random.pick([Keeper.lifeguard, .nobody, .systemd])
      keepers[name] = keeper
      let handle: ServiceHandle =
        keeper == .lifeguard
        ? .command(Command(arguments: ["/usr/bin/\(name)"])) : .unit("\(name).service")
      var service = Service(name: name, handle: handle)
      if random.chance(600) {
        service.probe = Probe(kind: .tcp(host: "127.0.0.1", port: 1000 + index))
      }
      if random.chance(350) { service.configTest = ["/usr/bin/\(name)", "-t"] }
      if name == "web", random.chance(500) { service.dependsOn = ["db"] }
      if random.chance(100) { service.mode = random.pick(Mode.allCases) }
      services.append(service)
      let steps: [Step] =
        random.chance(700)
        ? [.start, .nudge, .restart, .stopCleanStart, .page(receiver: nil)]
        : [.start, .nudge, .reload, .restart, .page(receiver: nil)]
      plans["service:\(name)"] = Plan(
        name: "service:\(name)", target: try Template(parsing: "service:\(name)"), steps: steps,
        verify: verify)
    }
    rules = try Scenario.rules(&random, services.map(\.name), verify)
    for rule in rules { plans[rule.plan.name] = rule.plan }
    let modes: [Mode] = [.auto, .auto, .auto, .auto, .auto, .approve, .approve, .shadow, .observe]
    policy = Policy(
      host: "host", mode: random.pick(modes), rules: rules.map(\.rule), plans: plans,
      services: services, guardRails: settings)
  }

  private static func rules(
    _ random: inout SplitMix64, _ services: [String], _ verify: VerificationPolicy
  ) throws -> [Rule] {
    let script = Command(arguments: ["/opt/clean"], timeout: .seconds(10), disruptive: false)
    let fix = Command(arguments: ["/opt/fix"], timeout: .seconds(10))
    var cpu = AlertRule(
      name: "CPUHigh", expression: try Query(parsing: "cpu > 80"),
      clear: random.chance(300) ? try Query(parsing: "cpu < 60") : nil,
      hold: .seconds(random.pick([0, 0, 3])),
      onNoData: random.pick([.keep, .keep, .alert, .ok]),
      labels: ["severity": try Template(parsing: random.pick(["critical", "warning"]))],
      recovery: .plan("relieve"))
    if random.chance(200) { cpu.samples = SampleWindow(needed: 2, window: 3) }
    if random.chance(150) { cpu.keepFiringFor = .seconds(6) }
    let service = random.pick(services)
    let relieve = Plan(
      name: "relieve", target: try Template(parsing: "service:\(service)"),
      steps: [.reload, .restart, .run(fix), .page(receiver: "ops")], verify: verify,
      limit: random.chance(300) ? UsageLimit(count: 2, per: .seconds(100)) : nil,
      cooldown: random.chance(300) ? .seconds(15) : nil)
    let disk = AlertRule(
      name: "DiskFull", expression: try Query(parsing: "disk > 90 and on () readonly == 0"),
      labels: ["severity": try Template(parsing: "critical")], recovery: .plan("free"))
    let free = Plan(
      name: "free",
      target: random.chance(500)
        ? try Template(parsing: random.pick(["host", "mount:/var"])) : nil,
      steps: [.run(script), .run(fix), .page(receiver: nil)], verify: verify,
      mode: random.chance(150) ? random.pick(Mode.allCases) : nil,
      requiredMounts: random.chance(200) ? ["/var"] : [])
    let queue = AlertRule(
      name: "QueueLong", expression: try Query(parsing: "queue > 5"),
      mode: random.chance(200) ? .approve : nil, recovery: .plan("drain"))
    let drain = Plan(
      name: "drain", target: try Template(parsing: "process:queue"),
      steps: (random.chance(500) ? [.http(HTTPAction(url: "http://127.0.0.1/drain"))] : [])
        + [.cloud(.ec2(EC2Action(.reboot))), .page(receiver: nil)],
      verify: verify)
    var all = [
      Rule(rule: cpu, plan: relieve, service: service), Rule(rule: disk, plan: free, service: nil),
      Rule(rule: queue, plan: drain, service: nil),
    ]
    all.remove(at: random.below(3))
    return all
  }
}
