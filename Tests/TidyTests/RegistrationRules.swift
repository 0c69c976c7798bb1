/// A plug-in is one file and one registration line; a file that nobody registers is dead.
enum RegistrationRules {
  /// Folders whose files each hold one plug-in, with the ending of their names.
  static let kinds: [(folder: String, ending: String)] = [
    ("Sources/LifeguardHost/Collectors/", "Collector.swift"),
    ("Sources/LifeguardHost/Probes/", "Probe.swift"),
    ("Sources/LifeguardAgent/Notifiers/", "Notifier.swift"),
  ]

  static func check(_ files: [SourceFile]) -> [Violation] {
    var found: [Violation] = []
    for file in files {
      for kind in kinds {
        guard file.path.hasPrefix(kind.folder), file.name.hasSuffix(kind.ending) else { continue }
        let type = String(file.name.dropLast(".swift".count))
        // The file that declares the protocol itself is named for it alone.
        if "\(type).swift" == kind.ending || declaresProtocol(type, file) { continue }
        let isUsed = files.contains { other in
          other.path != file.path && other.isSource
            && other.code.contains { Words.contains(type, in: $0) }
        }
        if !isUsed {
          found.append(
            file.violation(
              "registration", line: 1, "\(type) is registered nowhere: add its line"))
        }
      }
    }
    return found
  }

  private static func declaresProtocol(_ type: String, _ file: SourceFile) -> Bool {
    file.code.contains { Words.contains("protocol \(type)", in: $0) }
  }
}
