import Glibc
import LifeguardCore

/// Moves a damaged database out of the way, with its journal, for somebody to look at.
enum SetAside {
  /// - Returns: the new path, `FILE.corrupt-20260131T235959Z`, numbered when that is taken.
  static func move(_ path: String, at now: Timestamp) throws(StoreError) -> String {
    let stem = "\(path).corrupt-\(stamp(now))"
    var target = stem
    var number = 2
    while access(target, F_OK) == 0 {
      target = "\(stem).\(number)"
      number += 1
    }
    guard rename(path, target) == 0 else {
      throw .notWritable(path: path, reason: describe(errno: errno))
    }
    // The journal holds the newest commits; the index beside it can be rebuilt from it.
    for suffix in ["-wal", "-shm"] { rename(path + suffix, target + suffix) }
    return target
  }

  private static func stamp(_ now: Timestamp) -> String {
    var seconds = time_t(now.milliseconds / 1000)
    var parts = tm()
    gmtime_r(&seconds, &parts)
    var text = [CChar](repeating: 0, count: 32)
    let count = strftime(&text, text.count, "%Y%m%dT%H%M%SZ", &parts)
    return String(decoding: text.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}

extension SetAside {
  /// Deletes what was set aside of `path` earlier, for files that are not worth keeping twice.
  static func removeOthers(of path: String, except kept: String) {
    guard let slash = path.lastIndex(of: "/") else { return }
    let folder = String(path[..<slash])
    let prefix = path[path.index(after: slash)...] + ".corrupt-"
    let keptName = kept[kept.index(after: slash)...]
    guard let entries = opendir(folder) else { return }
    defer { closedir(entries) }
    while let entry = readdir(entries) {
      let name = withUnsafeBytes(of: entry.pointee.d_name) {
        String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
      }
      if name.hasPrefix(prefix), !name.hasPrefix(keptName) { unlink("\(folder)/\(name)") }
    }
  }
}
