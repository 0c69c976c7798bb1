/// Why a signal was not sent: a reason for programs and a sentence for people.
public struct SignalRefusal: Hashable, Sendable {
  public enum Reason: String, Hashable, Sendable {
    case initProcess = "init_process"
    case ownProcess = "own_process"
    case ancestor
    case kernelThread = "kernel_thread"
    case protectedExecutable = "protected_executable"
    case ownControlGroup = "own_control_group"
    /// More processes match than one step may act on (G14).
    case tooManyTargets = "too_many_targets"
  }

  public var reason: Reason
  public var message: String

  public init(reason: Reason, message: String) {
    self.reason = reason
    self.message = message
  }
}
