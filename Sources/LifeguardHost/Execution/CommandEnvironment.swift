/// The environment that commands start with: nothing of the agent's own, which may hold secrets.
public enum CommandEnvironment {
  /// Where programs are looked for; as in the Debian default for root.
  public static let searchPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

  /// `PATH`, `LANG`, `HOME`, `USER`, `LOGNAME` and `SHELL`, overridden by `given`.
  static func variables(user: UserAccount?, given: [String: String]) -> [String: String] {
    var variables = ["PATH": searchPath, "LANG": "C.UTF-8", "HOME": user?.home ?? "/"]
    if let user {
      variables["USER"] = user.name
      variables["LOGNAME"] = user.name
      variables["SHELL"] = user.shell.isEmpty ? "/bin/sh" : user.shell
    }
    return variables.merging(given) { _, new in new }
  }
}
