import LifeguardCore
import Synchronization

/// Everything that reading a configuration saw of the file system, so that another process, which
/// may not open those files, can read the same configuration.
public struct RecordedFiles: Sendable, Codable {
  struct Content: Sendable, Codable {
    /// In base 16; nil when it could not be read.
    var bytes: String?
    var failure: String?
  }

  struct Status: Sendable, Codable {
    var kind: String
    var owner: UInt32
    var ownerName: String?
    var mode: UInt32
  }

  var workingDirectory: String
  var contents: [String: Content] = [:]
  var statuses: [String: Status] = [:]
  var links: [String: String] = [:]
  var lists: [String: [String]] = [:]

  /// Answers as the file system did when it was recorded; what was not asked then is not there.
  public var access: FileAccess {
    FileAccess(
      workingDirectory: workingDirectory,
      read: { path, limit in
        guard let content = contents[path] else {
          return .failure(FileFailure("is not part of the configuration"))
        }
        guard let bytes = content.bytes.flatMap(Hexadecimal.decode) else {
          return .failure(FileFailure(content.failure ?? "could not be read"))
        }
        return bytes.count > limit
          ? .failure(FileFailure("is larger than \(limit) bytes")) : .success(bytes)
      },
      status: { path in
        statuses[path].map {
          FileStatus(
            kind: Status.kinds.first { $0.1 == statuses[path]?.kind }?.0 ?? .other,
            owner: $0.owner, ownerName: $0.ownerName, mode: $0.mode)
        }
      },
      link: { links[$0] }, list: { lists[$0] ?? [] })
  }
}

/// Records what is asked of a file access on the way through.
public final class FileRecorder: Sendable {
  private let records: Mutex<RecordedFiles>
  private let files: FileAccess

  public init(_ files: FileAccess) {
    self.files = files
    records = Mutex(RecordedFiles(workingDirectory: files.workingDirectory))
  }

  /// What was seen so far.
  public var recorded: RecordedFiles { records.withLock { $0 } }

  public var access: FileAccess {
    FileAccess(
      workingDirectory: files.workingDirectory,
      read: { path, limit in
        let result = self.files.read(path, limit)
        self.records.withLock { $0.contents[path] = RecordedFiles.Content(result) }
        return result
      },
      status: { path in
        let status = self.files.status(path)
        self.records.withLock { $0.statuses[path] = status.map(RecordedFiles.Status.init) }
        return status
      },
      link: { path in
        let link = self.files.link(path)
        self.records.withLock { $0.links[path] = link }
        return link
      },
      list: { path in
        let names = self.files.list(path)
        self.records.withLock { $0.lists[path] = names }
        return names
      })
  }
}

extension RecordedFiles.Content {
  init(_ result: Result<[UInt8], FileFailure>) {
    switch result {
    case .success(let bytes): self.init(bytes: Hexadecimal.encode(bytes), failure: nil)
    case .failure(let failure): self.init(bytes: nil, failure: failure.reason)
    }
  }
}

extension RecordedFiles.Status {
  static let kinds: [(FileStatus.Kind, String)] = [
    (.file, "file"), (.directory, "directory"), (.link, "link"), (.other, "other"),
  ]

  init(_ status: FileStatus) {
    kind = Self.kinds.first { $0.0 == status.kind }?.1 ?? "other"
    owner = status.owner
    ownerName = status.ownerName
    mode = status.mode
  }
}

/// Bytes as text in base 16 (RFC 4648, section 8), lower case.
enum Hexadecimal {
  static func encode(_ bytes: [UInt8]) -> String {
    let digits = Array("0123456789abcdef".utf8)
    var text: [UInt8] = []
    text.reserveCapacity(bytes.count * 2)
    for byte in bytes {
      text.append(digits[Int(byte >> 4)])
      text.append(digits[Int(byte & 15)])
    }
    return String(decoding: text, as: UTF8.self)
  }

  /// nil when it is not base 16.
  static func decode(_ text: String) -> [UInt8]? {
    let digits = Array(text.utf8)
    guard digits.count.isMultiple(of: 2) else { return nil }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(digits.count / 2)
    for index in stride(from: 0, to: digits.count, by: 2) {
      guard let high = value(digits[index]), let low = value(digits[index + 1]) else { return nil }
      bytes.append(high << 4 | low)
    }
    return bytes
  }

  private static func value(_ digit: UInt8) -> UInt8? {
    switch digit {
    case 0x30...0x39: digit - 0x30
    case 0x61...0x66: digit - 0x61 + 10
    default: nil
    }
  }
}
