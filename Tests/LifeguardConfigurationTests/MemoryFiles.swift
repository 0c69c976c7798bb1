import LifeguardConfiguration

/// Files that exist only for one test: contents by absolute path, directories made as needed.
struct MemoryFiles {
  private(set) var contents: [String: [UInt8]] = [:]
  private(set) var statuses: [String: FileStatus] = [
    "/": FileStatus(kind: .directory, owner: 0, ownerName: "root", mode: 0o755)
  ]
  private(set) var links: [String: String] = [:]

  init(_ files: [String: String] = [:]) {
    for (path, text) in files { add(path, text) }
  }

  mutating func add(_ path: String, _ text: String, mode: UInt32 = 0o644, owner: UInt32 = 0) {
    add(path, bytes: Array(text.utf8), mode: mode, owner: owner)
  }

  mutating func add(_ path: String, bytes: [UInt8], mode: UInt32 = 0o644, owner: UInt32 = 0) {
    addParents(of: path)
    contents[path] = bytes
    statuses[path] = status(.file, mode, owner)
  }

  mutating func addDirectory(_ path: String, mode: UInt32, owner: UInt32 = 0) {
    addParents(of: path)
    statuses[path] = status(.directory, mode, owner)
  }

  mutating func addLink(_ path: String, to target: String, owner: UInt32 = 0) {
    addParents(of: path)
    links[path] = target
    statuses[path] = status(.link, 0o777, owner)
  }

  private mutating func addParents(of path: String) {
    var current = ""
    for part in path.split(separator: "/").dropLast() {
      current += "/" + part
      if statuses[current] == nil { statuses[current] = status(.directory, 0o755, 0) }
    }
  }

  private func status(_ kind: FileStatus.Kind, _ mode: UInt32, _ owner: UInt32) -> FileStatus {
    FileStatus(
      kind: kind, owner: owner, ownerName: owner == 0 ? "root" : "mallory", mode: mode)
  }

  var access: FileAccess {
    let files = self
    return FileAccess(
      workingDirectory: "/etc/lifeguard",
      read: { path, limit in
        guard let bytes = files.contents[path] else {
          return .failure(FileFailure("does not exist"))
        }
        return bytes.count <= limit
          ? .success(bytes) : .failure(FileFailure("is larger than \(limit) bytes"))
      },
      status: { files.statuses[$0] }, link: { files.links[$0] },
      list: { directory in
        let prefix = directory == "/" ? "/" : directory + "/"
        return files.statuses.keys.filter { $0 != "/" && $0.hasPrefix(prefix) }
          .map { String($0.dropFirst(prefix.count)) }.filter { !$0.contains("/") }
      })
  }

  /// A loader of root's over these files, without the default rules.
  func loader(
    environment: [String: String] = [:], user: UInt32 = 0, executable: String? = nil
  ) -> ConfigurationLoader {
    ConfigurationLoader(
      files: access, environment: { environment[$0] }, user: user, executable: executable,
      defaultPack: nil)
  }
}

/// Loads one text as `lifeguard.yaml`.
func load(
  _ text: String, files: [String: String] = [:], environment: [String: String] = [:]
) -> LoadedConfiguration {
  var memory = MemoryFiles(files)
  memory.add("/etc/lifeguard/lifeguard.yaml", text)
  return memory.loader(environment: environment).load(mainFile: "lifeguard.yaml")
}
