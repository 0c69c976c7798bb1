/// Whether a file that decides what runs can be changed only by those who may decide it.
///
/// The file, every directory above it and everything a link leads to must belong to root or to
/// the user who runs the agent, and must not be writable by group or others. A sticky directory
/// such as /tmp is fine: there nobody can replace an entry of another's.
struct FileTrust {
  var files: FileAccess
  /// Whose agent it is; root's files are always trusted.
  var user: UInt32
  /// A user who may own the file itself and its directories besides: the one a script runs as.
  var alsoTrusted: UInt32?

  /// What is wrong, with the command that puts it right; empty when it can be trusted.
  func problems(of path: String) -> [String] {
    var problems: [String] = []
    var pending = [path]
    var seen: Set<String> = []
    // Each turn follows one link; the kernel gives up after 40 as well (path_resolution(7)).
    for _ in 0..<40 {
      guard let path = pending.popLast() else { return problems }
      for part in FileTrust.prefixes(of: path) where seen.insert(part).inserted {
        guard let status = files.status(part) else { break }
        if let problem = problem(part, status) { problems.append(problem) }
        guard status.kind == .link, let target = files.link(part) else { continue }
        let rest = path.dropFirst(part.count)
        pending.append(Paths.join(Paths.directory(of: part), target) + rest)
        break
      }
    }
    return problems + ["\(path) leads through too many links"]
  }

  /// `/`, `/etc`, `/etc/lifeguard`, … and the path itself.
  private static func prefixes(of path: String) -> [String] {
    var result = ["/"]
    var current = ""
    for part in path.split(separator: "/") {
      current += "/" + part
      result.append(current)
    }
    return result
  }

  private func problem(_ path: String, _ status: FileStatus) -> String? {
    let shown = printable(path)
    guard status.owner == 0 || status.owner == user || status.owner == alsoTrusted else {
      let wanted = user == 0 ? "root" : "root or the agent's user"
      let flag = status.kind == .link ? "-h " : ""
      return "\(shown) belongs to \(status.ownerText) (mode \(status.octalMode)), so what runs"
        + " could be changed by somebody else than \(wanted);"
        + " type: chown \(flag)\(user == 0 ? "root" : String(user)) \(shellQuoted(path))"
    }
    // The mode of a link means nothing, and only its owner can replace it.
    guard status.kind != .link, status.isWritableByOthers else { return nil }
    guard !(status.kind == .directory && status.isSticky) else { return nil }
    let who =
      switch (status.mode & 0o020 != 0, status.mode & 0o002 != 0) {
      case (true, true): "group and others"
      case (true, false): "its group"
      default: "others"
      }
    return "\(shown) can be written by \(who) (mode \(status.octalMode), owner"
      + " \(status.ownerText)); type: chmod go-w \(shellQuoted(path))"
  }

  private func shellQuoted(_ path: String) -> String {
    let plain = path.utf8.allSatisfy { byte in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"):
        true
      default: "/._-+@:,".utf8.contains(byte)
      }
    }
    guard !plain else { return path }
    return "'"
      + printable(path).split(separator: "'", omittingEmptySubsequences: false)
      .joined(separator: "'\\''") + "'"
  }
}
