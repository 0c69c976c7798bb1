import CLinux
import Glibc
import LifeguardCore
import LifeguardHost

/// Whose rights a process works with.
public enum Privileges {
  /// The user who parses what the world sends: `lifeguard` when there is one, else `nobody`.
  public static var unprivilegedUser: UserAccount? {
    UserAccount.find("lifeguard") ?? UserAccount.find("nobody")
  }

  /// Gives up root for good: groups first, then the user, and no way back by a set-uid program.
  ///
  /// - Throws: when any part of it fails; the process must not go on then.
  public static func drop(to user: UserAccount) throws(SystemCallError) {
    var groups = [gid_t(user.groupID)]
    guard setgroups(1, &groups) == 0 else { throw SystemCallError(call: "setgroups") }
    // As root these set the real, the effective and the saved id (setuid(2)).
    guard setgid(user.groupID) == 0 else { throw SystemCallError(call: "setgid") }
    guard setuid(user.userID) == 0 else { throw SystemCallError(call: "setuid") }
    // Otherwise /proc/self belongs to root from here on, and cannot be read (proc(5)).
    guard clinux_make_dumpable() == 0 else {
      throw SystemCallError(call: "prctl", subject: "PR_SET_DUMPABLE")
    }
    guard clinux_no_new_privileges() == 0 else {
      throw SystemCallError(call: "prctl", subject: "PR_SET_NO_NEW_PRIVS")
    }
    guard setuid(0) != 0 else { throw SystemCallError(call: "setuid", subject: "0", code: EPERM) }
  }

  /// Has the kernel kill this process when its parent's thread ends: a half that hangs cannot be
  /// told to end, and would keep the data directory locked.
  public static func dieWithParent() throws(SystemCallError) {
    guard clinux_die_with_parent() == 0 else {
      throw SystemCallError(call: "prctl", subject: "PR_SET_PDEATHSIG")
    }
  }

  /// Makes a directory that belongs to the user, with the files and folders directly in it.
  ///
  /// The user may have put there what is not theirs: a file with a second name elsewhere, a link, a
  /// mount point. That stays as it is, and so does what an agent in one process keeps for itself.
  public static func give(
    _ directory: String, to user: UserAccount, mode: mode_t
  ) throws(SystemCallError) {
    try makeParents(of: directory)
    if mkdir(directory, mode) != 0, errno != EEXIST {
      throw SystemCallError(call: "mkdir", subject: directory)
    }
    let descriptor = open(directory, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
    guard descriptor >= 0, let entries = fdopendir(descriptor) else {
      throw SystemCallError(call: "open", subject: directory)
    }
    defer { closedir(entries) }
    var own = stat()
    guard fchown(descriptor, user.userID, user.groupID) == 0, fchmod(descriptor, mode) == 0,
      fstat(descriptor, &own) == 0
    else { throw SystemCallError(call: "chown", subject: directory) }
    while let entry = readdir(entries) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      if name == "." || name == ".." || name == LocalHands.folderName { continue }
      give(name, in: descriptor, to: user, device: own.st_dev)
    }
  }

  /// Looked at and given by one descriptor, so that nothing can be put in its place meanwhile; what
  /// cannot be given is found out when it is opened.
  private static func give(
    _ name: String, in directory: Int32, to user: UserAccount, device: dev_t
  ) {
    let entry = clinux_open_path(directory, name)
    guard entry >= 0 else { return }
    defer { close(entry) }
    var status = stat()
    guard fstat(entry, &status) == 0 else { return }
    switch status.st_mode & S_IFMT {
    case S_IFREG: guard status.st_nlink == 1 else { return }
    // A file's device says nothing: on an overlay it is that of the layer below (stat(2)).
    case S_IFDIR: guard status.st_dev == device else { return }
    default: return
    }
    // An O_PATH descriptor takes no fchown(2); its name in /proc leads to what it has open.
    chown("/proc/self/fd/\(entry)", user.userID, user.groupID)
  }

  private static func makeParents(of path: String) throws(SystemCallError) {
    var made = ""
    for part in path.split(separator: "/").dropLast() {
      made += "/\(part)"
      if mkdir(made, 0o755) != 0, errno != EEXIST {
        throw SystemCallError(call: "mkdir", subject: made)
      }
    }
  }
}
