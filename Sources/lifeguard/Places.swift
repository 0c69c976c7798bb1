import Glibc

/// Where the agent keeps things when nobody says otherwise.
enum Places {
  static let rootData = "/var/lib/lifeguard"
  static let rootSocket = "/run/lifeguard/sock"

  /// `/var/lib/lifeguard` as root, otherwise the XDG state directory
  /// (specifications.freedesktop.org/basedir-spec).
  static var dataDirectory: String {
    if geteuid() == 0 { return rootData }
    if let state = environment("XDG_STATE_HOME"), state.hasPrefix("/") {
      return "\(state)/lifeguard"
    }
    return "\(environment("HOME") ?? "")/.local/state/lifeguard"
  }

  /// The directory that an option or the configuration names, else the usual one.
  static func dataDirectory(_ named: String?) -> String { named.map(absolute) ?? dataDirectory }

  /// The socket of the agent that uses a data directory.
  static func socket(dataDirectory: String) -> String {
    dataDirectory == rootData ? rootSocket : "\(dataDirectory)/sock"
  }

  /// Where an agent may be found when nobody names one: this user's, that of the quick start, and
  /// root's, which members of the group lifeguard may look at.
  static var sockets: [String] {
    let own = dataDirectory
    var all = [socket(dataDirectory: own), socket(dataDirectory: "\(own)-quickstart")]
    if !all.contains(rootSocket) { all.append(rootSocket) }
    return all
  }

  static func environment(_ name: String) -> String? {
    getenv(name).map { String(cString: $0) }
  }

  /// A path as seen from the working directory, absolute.
  static func absolute(_ path: String) -> String {
    guard !path.hasPrefix("/"), let current = getcwd(nil, 0) else { return path }
    defer { free(current) }
    return "\(String(cString: current))/\(path)"
  }

  /// The running executable, absolute (proc_pid_exe(5)).
  static var executable: String? {
    var buffer = [CChar](repeating: 0, count: 4096)
    let count = readlink("/proc/self/exe", &buffer, buffer.count)
    guard count > 0 else { return nil }
    return String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}
