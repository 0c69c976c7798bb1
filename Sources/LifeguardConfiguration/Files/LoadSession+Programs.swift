import LifeguardCore

extension LoadSession {
  /// An argument vector whose first part is a program, resolved and checked, with whatever else in
  /// it decides what runs.
  ///
  /// - Parameter startsAnywhere: whether the section may say where it starts, which a relative
  ///   script is named from.
  func readCommand(
    _ key: String, _ reader: SectionReader, startsAnywhere: Bool = false
  ) -> [String]? {
    guard let node = reader[key] else { return nil }
    if let scalar = node.scalar {
      let words = scalar.text.split(separator: " ").map { printable(String($0)) }
      log.error(
        node.location,
        "\(quoted(key)) must be a list of arguments, not a shell line; write"
          + " [\(words.joined(separator: ", "))]")
      return nil
    }
    let items = reader.list(key, of: "arguments")
    var arguments: [String] = []
    for item in items {
      guard let text = item.scalar?.text, !text.utf8.contains(0) else {
        log.error(item.location, "\(quoted(key)) must hold texts only, not \(item.description)")
        return nil
      }
      refuseReference(item)
      arguments.append(text)
    }
    guard let first = arguments.first, !first.isEmpty else {
      log.error(node.location, "\(quoted(key)) is empty; write [/path/to/program]")
      return nil
    }
    arguments[0] = program(first, at: items[0].location)
    let start = startsAnywhere ? reader["working_directory"]?.scalar?.text ?? "/" : "/"
    for file in CommandFiles.of(arguments) {
      checkFile(file, from: start, at: items[file.argument].location)
    }
    return arguments
  }

  /// A script of an interpreter, or the program behind `timeout` and its like: found from where the
  /// command starts, as when it is executed.
  private func checkFile(
    _ file: CommandFiles.File, from start: String, at location: SourceLocation
  ) {
    var candidates: [String] = []
    let isLookedUp = !file.text.contains("/") && file.role != .script
    if !isLookedUp || file.role == .shellScript { candidates = [Paths.join(start, file.text)] }
    if isLookedUp { candidates += searchPath.map { Paths.join($0, file.text) } }
    guard let path = candidates.first(where: { loader.files.status($0) != nil }) else {
      log.warning(
        location,
        isLookedUp
          ? "no program \(quoted(file.text)) on PATH (\(searchPath.joined(separator: ":"))); write"
            + " its absolute path"
          : "\(printable(candidates[0])) does not exist; what needs it will fail")
      return
    }
    checkProgramTrust(path, at: location)
  }

  /// The absolute path of a program: as written, relative to the file, on PATH, or beside the
  /// running executable; as written when it is nowhere, which is a warning.
  func program(_ name: String, at location: SourceLocation) -> String {
    let files = loader.files
    var candidates: [String] = []
    if name.contains("/") {
      candidates = [Paths.join(directory, name)]
    } else {
      let own = loader.executable.map { Paths.directory(of: $0) + "/" + name }
      // The executable that runs is meant when its own name is written.
      if let executable = loader.executable, Paths.name(of: executable) == name {
        candidates.append(executable)
      }
      candidates += searchPath.map { Paths.join($0, name) }
      if let own { candidates.append(own) }
    }
    guard let path = candidates.first(where: { files.status($0) != nil }) else {
      log.warning(
        location,
        name.contains("/")
          ? "\(printable(candidates[0])) does not exist; what needs it will fail"
          : "no program \(quoted(name)) on PATH (\(searchPath.joined(separator: ":"))); write its"
            + " absolute path")
      return candidates.count == 1 ? candidates[0] : name
    }
    if let status = files.status(path), status.kind == .directory {
      log.error(location, "\(printable(path)) is a directory, not a program")
    } else if let status = files.status(path), status.kind == .file, !status.isExecutable {
      log.error(
        location,
        "\(printable(path)) may not be executed (mode \(status.octalMode)); type:"
          + " chmod +x \(printable(path))")
    }
    checkProgramTrust(path, at: location)
    return path
  }

  /// A script of another user is allowed to root: it runs as that user.
  private func checkProgramTrust(_ path: String, at location: SourceLocation) {
    var owner: UInt32?
    if loader.user == 0, let status = loader.files.status(path), status.kind == .file {
      owner = status.owner
    }
    checkTrust(path, namedAt: location, alsoTrusted: owner)
    guard let interpreter = interpreter(of: path) else { return }
    checkTrust(interpreter, namedAt: location)
  }

  /// The program behind `#!`, and behind `#!/usr/bin/env` the one that env would find (execve(2)
  /// reads 255 bytes).
  private func interpreter(of path: String) -> String? {
    // Programs are often larger than the limit; those have no `#!` line that matters here.
    guard case .success(let bytes) = loader.files.read(path, 1 << 20), bytes.starts(with: "#!".utf8)
    else { return nil }
    let line = String(
      decoding: bytes.dropFirst(2).prefix(255).prefix { $0 != 0x0A }, as: UTF8.self)
    let words = line.split { $0 == " " || $0 == "\t" || $0 == "\r" }.map(String.init)
    guard let first = words.first, first.hasPrefix("/") else { return nil }
    guard Paths.name(of: first) == "env",
      let name = words.dropFirst().first(where: { !$0.hasPrefix("-") })
    else { return first }
    return searchPath.map { Paths.join($0, name) }.first { loader.files.status($0) != nil }
  }

  private var searchPath: [String] {
    let usual = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    return (loader.environment("PATH") ?? usual).split(separator: ":").map(String.init)
      .filter { $0.hasPrefix("/") }
  }
}
