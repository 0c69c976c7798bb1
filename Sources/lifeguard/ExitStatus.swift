import ArgumentParser

/// What the command's exit statuses mean, beside 0 and ArgumentParser's 64 (EX_USAGE, sysexits.h).
extension ExitCode {
  static let problem = ExitCode(1)
  static let unreachable = ExitCode(3)
}
