import LifeguardCore

extension LoadSession {
  /// `services:`.
  func readServices(_ items: [Node]) {
    var names: [String: SourceLocation] = [:]
    var handles: [ServiceHandle: String] = [:]
    for item in items {
      guard let reader = SectionReader(item, Schema.service, log: log) else { continue }
      guard reader.required("name", such: "name: web") != nil, let name = reader.word("name"),
        checkName(name, of: "service", at: reader.location(of: "name"))
      else { continue }
      let location = reader.location(of: "name")
      if let first = names[name] {
        log.error(
          location,
          "two services are named \(quoted(name)); the first is on line \(first.line), rename one")
        continue
      }
      names[name] = location
      serviceNames.append(name)
      guard let service = readService(reader, name: name) else { continue }
      if let other = handles[service.handle], !service.handle.isSupervised {
        log.error(
          location,
          "\(quoted(name)) and \(quoted(other)) are the same unit or process; two services would"
            + " recover it at once, remove one")
      }
      handles[service.handle] = name
      configuration.services.append(service)
    }
  }

  private func readService(_ reader: SectionReader, name: String) -> Service? {
    let handle = readHandle(reader, name: name)
    let probe = reader["probe"].flatMap { readProbe($0) }
    let configTest = readCommand("config_test", reader)
    let labels = reader["labels"].map { readLabels($0, named: "labels") } ?? [:]
    let recovery = readRecover(
      reader, planName: BuiltInPlans.name(forService: name), target: "service:\(name)",
      namesService: true)
    let mode = reader.mode()
    let dependencies = reader.strings("depends_on", of: "services") ?? []
    for item in reader["depends_on"]?.items ?? [] {
      guard let dependency = item.scalar?.text else { continue }
      serviceUses.append((dependency, item.location))
    }
    guard let handle else { return nil }
    var service = Service(
      name: name, handle: handle, probe: probe, configTest: configTest, dependsOn: dependencies,
      plan: recovery, mode: mode, labels: labels, location: reader.location(of: "name"))
    if recovery == nil {
      let plan = BuiltInPlans.ladder(
        for: service, alertsPass: configuration.mailsThroughThisHost)
      configuration.plans[plan.name] = plan
      service.plan = .plan(plan.name)
    }
    return service
  }

  /// Exactly one of `unit`, `pidfile`, `process` and `command`.
  private func readHandle(_ reader: SectionReader, name: String) -> ServiceHandle? {
    let written = reader.written(["unit", "pidfile", "process", "command"])
    guard written.count == 1, let key = written.first else {
      log.error(
        reader.node.location,
        written.isEmpty
          ? "service \(quoted(name)) does not say what it is; write one of unit: \(name).service,"
            + " pidfile, process or command"
          : "service \(quoted(name)) has \(written.joined(separator: " and ")); keep one of them")
      return nil
    }
    if key != "command" {
      for key in reader.written(["user", "working_directory", "environment"]) {
        log.error(
          reader.location(of: key),
          "\(quoted(key)) is for a supervised child (\"command\"); \(quoted(name)) is a"
            + " \(written[0]), which sets it itself")
      }
    }
    guard reader[key] != nil else {
      log.error(reader.location(of: key), "\(quoted(key)) of \(quoted(name)) is empty")
      return nil
    }
    switch key {
    case "unit": return readUnit(reader)
    case "pidfile":
      guard let path = reader.word("pidfile") else { return nil }
      checkAbsolute(path, key: "pidfile", at: reader.location(of: "pidfile"))
      return .pidFile(path)
    case "process":
      guard let node = reader["process"],
        let process = SectionReader(node, Schema.serviceProcess, log: log),
        process.required("exe", such: "exe: /usr/bin/program") != nil,
        let executable = process.word("exe")
      else { return nil }
      checkAbsolute(executable, key: "exe", at: process.location(of: "exe"))
      return .process(executable: executable, user: process.word("user"))
    default:
      guard let arguments = readCommand("command", reader, startsAnywhere: true) else {
        return nil
      }
      return .command(
        Command(
          arguments: arguments, user: reader.word("user"),
          workingDirectory: readDirectory(reader), environment: readEnvironment(reader)))
    }
  }

  /// `nginx` is short for `nginx.service`, as systemctl takes it (systemctl(1)).
  private func readUnit(_ reader: SectionReader) -> ServiceHandle? {
    guard let text = reader.word("unit") else { return nil }
    guard let name = UnitName.canonical(text) else {
      log.error(
        reader.location(of: "unit"), "\(quoted(text)) is not a unit's name; write nginx.service")
      return nil
    }
    return .unit(name)
  }

  /// Exactly one of `http`, `tcp` and `exec`.
  private func readProbe(_ node: Node) -> Probe? {
    guard let reader = SectionReader(node, Schema.probe, log: log) else { return nil }
    let written = reader.written(["http", "tcp", "exec"])
    let interval = reader.duration("interval", minimum: .milliseconds(100)) ?? .seconds(1)
    let timeout =
      reader.duration("timeout", minimum: .milliseconds(10), maximum: .seconds(300)) ?? .seconds(1)
    let failures = reader.integer("failures", in: 1...100) ?? 3
    guard written.count == 1, let key = written.first, reader[key] != nil else {
      log.error(
        node.location,
        written.isEmpty
          ? "a probe needs one of http, tcp and exec; write http: 'http://127.0.0.1/'"
          : written.count > 1
            ? "a probe asks in one way, not by \(written.joined(separator: " and "));"
              + " keep one of them" : "\(quoted(written[0])) of a probe is empty")
      return nil
    }
    if key != "http" {
      for key in reader.written(["status", "body"]) {
        log.error(
          reader.location(of: key), "\(quoted(key)) belongs to an http probe; remove it")
      }
    }
    guard let kind = readProbeKind(key, reader) else { return nil }
    return Probe(kind: kind, interval: interval, timeout: timeout, failures: failures)
  }

  private func readProbeKind(_ key: String, _ reader: SectionReader) -> Probe.Kind? {
    switch key {
    case "http":
      guard let url = reader.word("http"), let node = reader["http"] else { return nil }
      refuseReference(node)
      if url.range(ofText: "${") == nil {
        checkURL(ResolvedText(value: url, hasReference: false), key: "http", at: node.location)
      }
      return .http(url: url, statuses: readStatuses(reader), body: reader.word("body"))
    case "tcp":
      guard let text = reader.word("tcp") else { return nil }
      switch Address.parse(text) {
      case .success(let address) where !address.host.isEmpty && address.port > 0:
        return .tcp(host: address.host, port: address.port)
      case .success:
        log.error(
          reader.location(of: "tcp"), "\"tcp\" must be host:port, not \(quoted(text))")
      case .failure(let fault):
        log.error(
          reader.location(of: "tcp"),
          "\"tcp\" must be host:port, not \(quoted(text)); \(fault.advice)")
      }
      return nil
    default:
      return readCommand("exec", reader).map { .exec($0) }
    }
  }

  /// `status: 200` or `status: 200-299`; a redirection answers as well, so the default ends at
  /// 399.
  private func readStatuses(_ reader: SectionReader) -> ClosedRange<Int> {
    let usual = 200...399
    guard let node = reader["status"] else { return usual }
    let parts = (node.scalar?.text ?? "").split(separator: "-", omittingEmptySubsequences: false)
    let numbers = parts.compactMap { Int($0.trimmed) }
    guard numbers.count == parts.count, (1...2).contains(numbers.count),
      let low = numbers.first, let high = numbers.last, 100 <= low, low <= high, high <= 599
    else {
      reader.wrong("status", node, must: "a status or a range such as 200-299")
      return usual
    }
    return low...high
  }
}
