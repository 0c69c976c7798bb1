import LifeguardCore

/// One service as it really is.
struct SimulatedService {
  enum State: Equatable {
    case up
    case dead(String)
    case suspended
    case hung
    /// Runs and answers wrongly.
    case ill
    case restarting
    case changing
    case stoppedByOperator
  }

  var state = State.up
  var pid: Int32 = 100
  /// Answers only after the timeout although it works.
  var isSlow = false
  /// What it takes to heal: 0 nudge or reload, 1 start, 2 restart, 3 stop, clean and start, 9 no
  /// step at all.
  var cure = 0
  var configurationIsBroken = false

  private var identity: ProcessIdentity { ProcessIdentity(pid: pid, startTicks: UInt64(pid) * 10) }

  var condition: ServiceCondition {
    switch state {
    case .up, .hung, .ill: .running(identity)
    case .suspended: .suspended(identity, traced: false)
    case .dead(let how): .dead(how)
    case .restarting: .restarting("systemd brings it back")
    case .changing: .changing("a job runs")
    case .stoppedByOperator: .stoppedByOperator("systemctl stop")
    }
  }

  var isDead: Bool { if case .dead = state { true } else { false } }

  mutating func start() {
    pid += 1
    state = .up
    isSlow = false
  }

  /// What a step does to it; how far it helps is decided by `cure`.
  mutating func suffer(_ step: Step) {
    switch step {
    case .nudge: if state == .suspended { state = .up }
    case .reload: if state != .suspended, !isDead, cure == 0, isRunning { state = .up }
    case .start: if isDead { revive(from: 1) }
    case .restart, .run: revive(from: 2)
    case .stopCleanStart: revive(from: 3)
    default: break
    }
  }

  private var isRunning: Bool { if case .running = condition { true } else { false } }

  private mutating func revive(from strength: Int) {
    let before = state
    pid += 1
    if cure <= strength {
      state = .up
      isSlow = false
    } else if case .dead = before {
      state = before
    } else if before == .hung || before == .ill {
      state = before
    } else {
      state = .dead("exited with 1")
    }
  }
}
