import Glibc
import TestSupport

/// Files below a folder.
enum SourceFolder {
  static func files(_ folder: String) throws -> [String] {
    guard let directory = opendir(folder) else { throw SystemCallError("opendir", folder) }
    defer { closedir(directory) }
    var result: [String] = []
    while let entry = readdir(directory) {
      let name = TextFile.name(of: entry)
      if name == "." || name == ".." { continue }
      let path = folder + "/" + name
      var information = stat()
      guard lstat(path, &information) == 0 else { continue }
      if information.st_mode & S_IFMT == S_IFDIR {
        result += try files(path)
      } else {
        result.append(path)
      }
    }
    return result
  }
}
