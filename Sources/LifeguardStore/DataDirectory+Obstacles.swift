import Glibc

extension DataDirectory {
  /// Everything that would keep an agent from using a directory, without making or changing
  /// anything that is there.
  public static func obstacles(to path: String) -> [StoreError] {
    var status = stat()
    guard stat(path, &status) == 0 else {
      switch errno {
      case ENOENT: return parentObstacle(of: path).map { [$0] } ?? []
      case ENOTDIR: return [.notADirectory(path: path)]
      default: return [failure(path, errno)]
      }
    }
    do throws(StoreError) { try check(path) } catch { return [error] }
    guard access(path, W_OK | X_OK) == 0 else { return [failure(path, errno)] }
    if let locked = lockObstacle(in: path) { return [locked] }
    let files = [
      ("state.db", StateSchema.migrations.count), ("samples.db", SampleSchema.migrations.count),
    ]
    return files.compactMap { versionObstacle("\(path)/\($0)", known: $1) }
  }

  /// The nearest directory that there is must take a new one.
  private static func parentObstacle(of path: String) -> StoreError? {
    var parent = path[...]
    while let slash = parent.lastIndex(of: "/") {
      parent = slash == parent.startIndex ? "/" : parent[..<slash]
      var status = stat()
      if stat(String(parent), &status) == 0 {
        guard status.st_mode & S_IFMT == S_IFDIR else { return .notADirectory(path: path) }
        return access(String(parent), W_OK | X_OK) == 0 ? nil : failure(path, errno)
      }
      if parent == "/" { break }
    }
    return nil
  }

  private static func lockObstacle(in path: String) -> StoreError? {
    let file = open("\(path)/lock", O_RDWR | O_CLOEXEC | O_NOFOLLOW)
    guard file >= 0 else { return errno == ENOENT ? nil : failure(path, errno) }
    defer { close(file) }
    return takeLock(file) ? nil : .locked(path: path, process: owner(of: file))
  }

  private static func versionObstacle(_ file: String, known: Int) -> StoreError? {
    guard access(file, F_OK) == 0 else { return nil }
    do throws(StoreError) {
      let database = try Database(path: file, readOnly: true)
      let version = Int(try database.integer("PRAGMA user_version") ?? 0)
      return version > known ? .newerVersion(path: file, found: version, known: known) : nil
    } catch {
      // A file that cannot be read is set aside by the start, and reported then.
      return nil
    }
  }
}
