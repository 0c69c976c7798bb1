import Glibc

extension FileAccess {
  /// The files of this machine.
  public static var system: FileAccess {
    FileAccess(
      workingDirectory: currentDirectory(),
      read: { path, limit in readRegularFile(path, limit: limit) },
      status: { fileStatus($0) },
      link: { linkTarget($0) },
      list: { directoryNames($0) })
  }
}

extension ConfigurationLoader {
  /// The loader of a running program: this machine's files, this process' environment and user.
  ///
  /// The default rules are in it; take them out with `defaultPack = nil`.
  public static func system(collectors: [String] = []) -> ConfigurationLoader {
    ConfigurationLoader(
      files: .system, environment: { name in getenv(name).map { String(cString: $0) } },
      user: geteuid(), executable: linkTarget("/proc/self/exe"), collectors: collectors)
  }
}

private func currentDirectory() -> String {
  guard let pointer = getcwd(nil, 0) else { return "/" }
  defer { free(pointer) }
  return String(cString: pointer)
}

private func failure(_ code: Int32) -> FileFailure {
  switch code {
  case ENOENT: FileFailure("does not exist")
  case EACCES: FileFailure("may not be read by this user")
  case EISDIR: FileFailure("is a directory")
  default: FileFailure(String(cString: strerror(code)).lowercased())
  }
}

/// Reads a file whole. O_NONBLOCK keeps a named pipe from stopping us; O_CLOEXEC keeps it ours.
private func readRegularFile(_ path: String, limit: Int) -> Result<[UInt8], FileFailure> {
  let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
  guard descriptor >= 0 else { return .failure(failure(errno)) }
  defer { close(descriptor) }
  var status = stat()
  guard fstat(descriptor, &status) == 0 else { return .failure(failure(errno)) }
  if status.st_mode & S_IFMT == S_IFDIR { return .failure(FileFailure("is a directory")) }
  guard status.st_mode & S_IFMT == S_IFREG else {
    return .failure(FileFailure("is not a regular file"))
  }
  var bytes: [UInt8] = []
  var buffer = [UInt8](repeating: 0, count: 65_536)
  while true {
    let count = read(descriptor, &buffer, buffer.count)
    if count < 0, errno == EINTR { continue }
    guard count >= 0 else { return .failure(failure(errno)) }
    if count == 0 { return .success(bytes) }
    bytes += buffer[..<count]
    if bytes.count > limit {
      return .failure(FileFailure("is larger than \(limit) bytes"))
    }
  }
}

private func fileStatus(_ path: String) -> FileStatus? {
  var status = stat()
  guard lstat(path, &status) == 0 else { return nil }
  let kind: FileStatus.Kind =
    switch status.st_mode & S_IFMT {
    case S_IFREG: .file
    case S_IFDIR: .directory
    case S_IFLNK: .link
    default: .other
    }
  return FileStatus(
    kind: kind, owner: status.st_uid, ownerName: userName(status.st_uid),
    mode: UInt32(status.st_mode & 0o7777))
}

private func userName(_ user: uid_t) -> String? {
  var entry = passwd()
  var found: UnsafeMutablePointer<passwd>?
  var buffer = [CChar](repeating: 0, count: 4096)
  guard getpwuid_r(user, &entry, &buffer, buffer.count, &found) == 0, found != nil else {
    return nil
  }
  return entry.pw_name.map { String(cString: $0) }
}

private func linkTarget(_ path: String) -> String? {
  var buffer = [CChar](repeating: 0, count: 4096)
  let count = readlink(path, &buffer, buffer.count)
  guard count > 0 else { return nil }
  return String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
}

private func directoryNames(_ path: String) -> [String] {
  // opendir(3) sets close-on-exec.
  guard let directory = opendir(path) else { return [] }
  defer { closedir(directory) }
  var names: [String] = []
  // A directory with more entries than this is no directory of rule files.
  while names.count < 10_000, let entry = readdir(directory) {
    let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
      String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
    }
    if name != ".", name != ".." { names.append(name) }
  }
  return names
}
