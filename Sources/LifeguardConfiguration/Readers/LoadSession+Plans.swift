import LifeguardCore

extension LoadSession {
  /// `plans:`.
  func readPlans(_ entries: [Node.Entry]) {
    for entry in entries {
      guard checkName(entry.key, of: "plan", at: entry.keyLocation) else { continue }
      if entry.key == "none" {
        log.error(
          entry.keyLocation, "a plan cannot be named \"none\", which means no plan; rename it")
      }
      planLocations[entry.key] = entry.keyLocation
      configuration.plans[entry.key] = readPlan(entry.value, name: entry.key)
    }
  }

  /// Names are written in commands, addresses and paths.
  func checkName(_ name: String, of what: String, at location: SourceLocation) -> Bool {
    let isPlain = name.allSatisfy {
      $0.isASCII && ($0.isLetter || $0.isNumber || "_.@-".contains($0))
    }
    guard isPlain, !name.isEmpty, name.utf8.count <= 100 else {
      log.error(
        location,
        "\(quoted(name)) cannot be the name of a \(what); use up to 100 letters, digits and _ . @ -"
      )
      return false
    }
    return true
  }

  /// `recover:`: a plan's name, `none`, or a plan written in place.
  ///
  /// - Parameters:
  ///   - planName: What a plan written in place is called.
  ///   - target: What such a plan acts on unless it says so itself.
  ///   - namesService: Whether the alerts are sure to carry the label `service`.
  func readRecover(
    _ reader: SectionReader, planName: String, target: String?, namesService: Bool
  ) -> RecoveryChoice? {
    guard let node = reader["recover"] else { return nil }
    if node.entries != nil {
      guard let plan = readPlan(node, name: planName, defaultTarget: target) else { return nil }
      if plan.target == nil { checkTarget(of: plan, namesService: namesService) }
      return .inline(plan)
    }
    guard let text = node.scalar?.text, !text.isEmpty else {
      reader.wrong("recover", node, must: "a plan's name, none, or a plan with steps")
      return nil
    }
    guard text != "none" else { return RecoveryChoice.none }
    planUses.append(PlanUse(plan: text, location: node.location, namesService: namesService))
    return .plan(text)
  }

  /// One plan, with the checks that need nothing but itself.
  func readPlan(_ node: Node, name: String, defaultTarget: String? = nil) -> Plan? {
    guard let reader = SectionReader(node, Schema.plan, log: log) else { return nil }
    let target = readTarget(reader, default: defaultTarget)
    var steps: [(step: Step, node: Node)] = []
    if reader.required("steps", such: "steps: [{restart: {}}]") != nil {
      let items = reader.list("steps", of: "steps such as {restart: {}}")
      if items.isEmpty, reader["steps"]?.items != nil {
        log.error(
          reader.location(of: "steps"),
          "the ladder of \(quoted(name)) is empty; write at least one step, such as restart: {}")
      }
      steps = items.compactMap { item in readStep(item).map { ($0, item) } }
    }
    let limit = reader.usageLimit("limit")
    let plan = Plan(
      name: name, target: target, steps: steps.map(\.step), verify: readVerify(reader),
      limit: limit, cooldown: reader.duration("cooldown", minimum: .zero), mode: reader.mode(),
      acceptsRemoteOrigin: reader.choice(
        "accept_origin", [("local", false), ("remote", true)]) ?? false,
      requiredMounts: readMounts(reader), location: node.location)
    checkLadder(steps, plan: plan, reader: reader)
    return plan
  }

  private func readMounts(_ reader: SectionReader) -> [String] {
    let mounts = reader.strings("required_mounts", of: "mount points") ?? []
    for mount in mounts {
      checkAbsolute(mount, key: "required_mounts", at: reader.location(of: "required_mounts"))
    }
    return mounts
  }

  private func readTarget(_ reader: SectionReader, default written: String?) -> Template? {
    guard let node = reader["target"] else {
      // The text was checked where it was written.
      return written.flatMap { text in
        do { return try Template(parsing: text) } catch { return nil }
      }
    }
    guard let text = node.scalar?.text else {
      reader.wrong("target", node, must: "a text such as service:web")
      return nil
    }
    let kinds = Target.Kind.allCases.map(\.rawValue)
    let kind = String(text.prefix { $0 != ":" })
    if !kind.contains("{{") {
      guard kinds.contains(kind) else {
        log.error(
          node.location,
          "unknown kind of target in \(quoted(text))"
            + suggestion(for: kind, among: kinds, listing: "write kind:name with one of"))
        return nil
      }
      guard text.contains("{{") || Target(text) != nil else {
        log.error(node.location, "target \(quoted(text)) has no name; write \(kind):NAME")
        return nil
      }
      if kind == "unit", !text.contains("{{"),
        UnitName.canonical(String(text.dropFirst(5))) == nil
      {
        log.error(
          node.location,
          "\(quoted(String(text.dropFirst(5)))) is not the name of one unit, and a plan never acts"
            + " on a pattern; write unit:nginx.service")
      }
      if kind == "service", !text.contains("{{") {
        serviceUses.append((String(text.dropFirst(8)), node.location))
      }
    }
    return readTemplate(node, key: "target")
  }

  private func readVerify(_ reader: SectionReader) -> VerificationPolicy {
    var policy = VerificationPolicy()
    guard let node = reader["verify"],
      let verify = SectionReader(node, Schema.verify, log: log)
    else { return policy }
    if let expression = verify["expr"] { policy.expression = readQuery(expression, key: "expr") }
    policy.settle = verify.duration("settle", minimum: .zero) ?? policy.settle
    policy.hold = verify.duration("hold", minimum: .zero) ?? policy.hold
    policy.deadline = verify.duration("deadline") ?? policy.deadline
    if policy.settle + policy.hold > policy.deadline {
      let needed = DurationFormat.text(policy.settle + policy.hold)
      log.error(
        verify.location(of: verify.has("deadline") ? "deadline" : "hold"),
        "settle and hold take \(needed), longer than the deadline of"
          + " \(DurationFormat.text(policy.deadline)): nothing could ever be verified;"
          + " write deadline: \(needed) or more")
    }
    return policy
  }

  /// A ladder only goes up (G9), and its limit must let it reach its last rung.
  private func checkLadder(
    _ steps: [(step: Step, node: Node)], plan: Plan, reader: SectionReader
  ) {
    for (last, next) in zip(steps, steps.dropFirst()) where next.step.harm < last.step.harm {
      log.error(
        next.node.location,
        "step \(quoted(next.step.name)) is milder than \(quoted(last.step.name)) before it; a"
          + " ladder goes from mild to strong, so write it first")
    }
    let counted = steps.filter { $0.step.harm.isCounted }.count
    let limit = plan.limit ?? configuration.guardRails.targetBudget
    guard counted > limit.count else { return }
    let window = DurationFormat.text(limit.window)
    log.error(
      reader.location(of: plan.limit == nil ? "steps" : "limit"),
      "\(counted) steps are counted, and a limit of \(limit.count) per \(window) never reaches the"
        + " last; write limit: \(counted) per \(window) or remove a step")
  }

  /// Without a target only steps that are not disruptive are allowed, unless every alert that is
  /// answered says which service is meant.
  func checkTarget(of plan: Plan, namesService: Bool) {
    guard plan.target == nil, !namesService else { return }
    guard let step = plan.steps.first(where: { $0.harm.isCounted }) else { return }
    log.error(
      plan.location,
      "step \(quoted(step.name)) needs to know what to act on; write target: service:NAME, or"
        + " target: 'service:{{ $labels.service }}'")
  }
}
