import TestSupport

/// One file in a private folder of its own.
struct TemporaryFolderWith {
  private let folder: TemporaryFolder
  var path: String { folder / "file" }

  init(_ text: String) throws {
    folder = try TemporaryFolder()
    try TextFile.write(text, to: folder / "file")
  }
}
