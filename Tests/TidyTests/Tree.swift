import Glibc
import TestSupport

/// The files of the project, as git lists them: tracked, or new and not ignored.
///
/// In a copy without git, everything below the root but hidden and build folders.
struct Tree {
  let root: String
  /// From the root, sorted.
  let paths: [String]

  /// Read once in a run of the tests.
  static let project = Result { try load() }

  /// The Swift files of Sources and Tests, read once in a run of the tests.
  static let swiftFiles = Result { try project.get().readSwiftFiles() }

  private static func load() throws -> Tree {
    let root = SourceTree.root()
    let listing = try ChildProgram(
      [
        "git", "-c", "safe.directory=*", "-C", root, "ls-files", "-z", "--cached", "--others",
        "--exclude-standard",
      ])
    defer { listing.kill() }
    let isListed = listing.waitForEndBlocking(seconds: 60) == .exited(0)
    let listed =
      isListed
      ? listing.standardOutput.split(separator: "\0").map(String.init) : walk(root, "")
    return Tree(root: root, paths: listed.filter { TextFile.exists(root + "/" + $0) }.sorted())
  }

  func text(_ path: String) throws -> String { try TextFile.read(root + "/" + path) }

  func exists(_ path: String) -> Bool { TextFile.exists(root + "/" + path) }

  private func readSwiftFiles() throws -> [SourceFile] {
    try paths
      .filter { $0.hasSuffix(".swift") && ($0.hasPrefix("Sources/") || $0.hasPrefix("Tests/")) }
      .filter { !$0.contains("/Fixtures/") }
      .map { SourceFile(path: $0, text: try text($0)) }
  }

  private static func walk(_ root: String, _ folder: String) -> [String] {
    guard let directory = opendir(root + "/" + folder) else { return [] }
    defer { closedir(directory) }
    var found: [String] = []
    while let entry = readdir(directory) {
      let name = TextFile.name(of: entry)
      let path = folder.isEmpty ? name : folder + "/" + name
      if name == "." || name == ".." || name == ".git" || name.hasPrefix(".build") { continue }
      if path == "dist" { continue }
      var information = stat()
      guard lstat(root + "/" + path, &information) == 0 else { continue }
      let isFolder = information.st_mode & S_IFMT == S_IFDIR
      found += isFolder ? walk(root, path) : [path]
    }
    return found
  }
}
