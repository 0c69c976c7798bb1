import LifeguardCore
import LifeguardHost
import Synchronization

/// Sees what services do: deaths by pidfd, the rest by a look a second that costs one read.
extension LocalHands {
  /// Adopts children that an earlier agent has left running, and starts those that do not run:
  /// `command:` asks for them to run, in every mode.
  func bringUp(
    _ children: [ChildRecord], _ report: @Sendable (HandsReport) -> Void
  ) async {
    for service in knowledge.withLock({ Array($0.services.values) }).sorted(by: {
      $0.name < $1.name
    }) {
      guard service.handle.isSupervised, supervisor.identity(of: service.name) == nil else {
        continue
      }
      let known = children.first { $0.service == service.name }
      if let known, supervisor.adopt(service.name, known.identity) { continue }
      if known == nil, supervisor.adoptForgotten(service.name),
        let identity = supervisor.identity(of: service.name)
      {
        report(.childStarted(ChildRecord(service: service.name, identity: identity)))
        continue
      }
      guard startsAreAllowed else { continue }
      // The watch reports a child that does not come up as dead, with the reason.
      _ = await control(of: service.name)?.perform(.start, within: .seconds(10))
      if let identity = supervisor.identity(of: service.name) {
        report(.childStarted(ChildRecord(service: service.name, identity: identity)))
      }
    }
  }

  func childEnded(
    _ exit: Supervisor.ChildExit, _ report: @Sendable (HandsReport) -> Void
  ) {
    (control(of: exit.name) as? SupervisedControl)?.note(exit)
    guard !exit.wasRequested else { return }
    observe(exit.name, .dead(exit.exit.summary), report)
    bell(of: exit.name).ring()
  }

  /// Looks at one service until the task is cancelled.
  func watch(_ service: Service, _ report: @escaping @Sendable (HandsReport) -> Void) async {
    guard let control = control(of: service.name) else { return }
    let bell = bell(of: service.name)
    var watched: (ProcessIdentity, ProcessWatcher.Watch)?
    var lastFullLook = BootClock.now() - Self.fullLookEvery
    while !Task.isCancelled {
      if needsFullLook(service, since: lastFullLook) {
        let condition = condition(await control.state(), service)
        lastFullLook = BootClock.now()
        observe(service.name, condition, isAlwaysTold: service.probe == nil, report)
      } else if service.probe == nil, let known = current.withLock({ $0[service.name] }),
        let pid = known.identity?.pid, pid > 0
      {
        // It was just seen to run: without a probe that is all the evidence there is (G8).
        report(.observed(ServiceObservation(service: service.name, condition: known)))
      }
      follow(service, &watched, bell)
      await wait(bell, for: pause(service))
    }
    if let watched { tools.watcher.cancel(watched.1) }
  }

  /// systemd is asked rarely, because asking costs a process; a look at `/proc` costs a read.
  private static let fullLookEvery: Duration = .seconds(15)

  private func needsFullLook(_ service: Service, since last: Duration) -> Bool {
    guard case .running(let identity) = current.withLock({ $0[service.name] }) else { return true }
    if identity.pid == 0 {
      // Without a probe every look is evidence, which counts while it is at most 5 s old.
      return BootClock.now() - last >= .seconds(service.probe == nil ? 2 : 5)
    }
    guard let status = ProcessStatus.read(pid: identity.pid), status.identity == identity,
      status.state != .stopped, status.state != .traced, status.state != .zombie
    else { return true }
    guard case .unit = service.handle else { return false }
    return BootClock.now() - last >= Self.fullLookEvery
  }

  private func pause(_ service: Service) -> Duration {
    switch current.withLock({ $0[service.name] }) {
    case .restarting, .changing: .milliseconds(200)
    case .dead, .unknown, nil:
      if case .unit = service.handle { .seconds(2) } else { .seconds(1) }
    case .running, .suspended, .stoppedByOperator: .seconds(1)
    }
  }

  /// Keeps a pidfd on the process that runs now.
  private func follow(
    _ service: Service, _ watched: inout (ProcessIdentity, ProcessWatcher.Watch)?, _ bell: Bell
  ) {
    // Children are followed by their supervisor.
    if service.handle.isSupervised { return }
    let identity = current.withLock { $0[service.name]?.identity }
    if let identity, watched?.0 == identity { return }
    if let old = watched { tools.watcher.cancel(old.1) }
    watched = nil
    guard let identity, identity.pid > 0 else { return }
    do throws(SystemCallError) {
      let watch = try tools.watcher.watch(identity) { [weak self] _ in
        // What it means is for the full look to say: systemd may have stopped it on request.
        self?.current.withLock { $0[service.name] = nil }
        bell.ring()
      }
      watched = (identity, watch)
    } catch {
      // It has ended already: the next look finds that out.
      bell.ring()
    }
  }

  private func wait(_ bell: Bell, for pause: Duration) async {
    await withTaskGroup { group in
      group.addTask { await bell.wait() }
      group.addTask { await self.tools.reactor.sleep(for: pause) }
      await group.next()
      group.cancelAll()
    }
  }

  func bell(of service: String) -> Bell {
    bells.withLock { bells in
      if let bell = bells[service] { return bell }
      let bell = Bell()
      bells[service] = bell
      return bell
    }
  }

  func observe(
    _ service: String, _ condition: ServiceCondition, isAlwaysTold: Bool = false,
    _ report: @Sendable (HandsReport) -> Void
  ) {
    let isNews = current.withLock { current in
      defer { current[service] = condition }
      return current[service] != condition
    }
    // What is down is reported at every look: a decision needs evidence that is fresh.
    if case .running = condition, !isNews, !isAlwaysTold { return }
    report(.observed(ServiceObservation(service: service, condition: condition)))
  }

  /// What the host's state of a service means for the monitor.
  func condition(_ state: ServiceState, _ service: Service) -> ServiceCondition {
    switch state {
    case .running(let identity):
      .running(identity ?? ProcessIdentity(pid: 0, startTicks: 0))
    case .stopped(let identity, let traced): .suspended(identity, traced: traced)
    case .deliberatelyStopped(let reason): .stoppedByOperator(reason)
    case .dead(let reason): .dead(reason)
    case .activating(let what) where what.hasPrefix("auto-restart"):
      .restarting("it died, and systemd starts it again (Restart=)")
    case .activating(let what): .changing(what)
    case .unknown(let why): .unknown(why)
    }
  }
}
