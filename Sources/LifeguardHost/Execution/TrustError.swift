import Glibc

/// Why a file is not run; every message names the path that has to change.
public enum TrustError: Error, Hashable, Sendable, CustomStringConvertible {
  case emptyCommand
  case relativePath(String)
  case notFound(String, searchPath: String)
  case notAFile(String)
  case notExecutable(String)
  case unreadable(String, code: Int32)
  case owner(path: String, owner: UInt32)
  case writable(path: String, mode: UInt32)
  case otherUser(path: String, owner: UInt32, requested: String)

  public var description: String {
    switch self {
    case .emptyCommand: "the command is empty; name a program"
    case .relativePath(let path): "\(path) is a relative path; write it from /"
    case .notFound(let name, let searchPath):
      "\(name) is not in \(searchPath); install it or write its whole path"
    case .notAFile(let path): "\(path) is not a regular file"
    case .notExecutable(let path): "\(path) is not executable; chmod +x \(path)"
    case .unreadable(let path, let code): "\(path): \(SystemCallError.message(for: code))"
    case .owner(let path, let owner):
      "\(path) is owned by uid \(owner); it must be owned by root or the agent's user"
    case .writable(let path, let mode):
      "\(path) has mode \(String(mode, radix: 8)) and can be changed by others; chmod go-w \(path)"
    case .otherUser(let path, let owner, let requested):
      "\(path) is owned by uid \(owner) and runs only as that user, not as \(requested)"
    }
  }
}
