import Glibc

/// A user as `/etc/passwd` and `/etc/group` know it.
///
/// The files are read by hand: glibc's look-up loads the host's name service modules, which may
/// hang on a directory server at the very moment something has to be repaired (passwd(5),
/// group(5)).
public struct UserAccount: Hashable, Sendable {
  public var name: String
  public var userID: UInt32
  public var groupID: UInt32
  /// The primary group and every group that lists the user.
  public var groups: [UInt32]
  public var home: String
  public var shell: String

  /// Finds a user by name, or by number where no name matches; nil when there is none.
  public static func find(_ nameOrNumber: String) -> UserAccount? {
    find(
      nameOrNumber, passwd: SmallFile.textIfReadable("/etc/passwd") ?? "",
      group: SmallFile.textIfReadable("/etc/group") ?? "")
  }

  static func find(_ nameOrNumber: String, passwd: String, group: String) -> UserAccount? {
    let lines = passwd.split(separator: "\n").map { fields($0) }.filter { $0.count >= 7 }
    let line =
      lines.first { $0[0] == nameOrNumber }
      ?? lines.first { UInt32(nameOrNumber) != nil && $0[2] == nameOrNumber }
    guard let line, let userID = UInt32(line[2]), let groupID = UInt32(line[3]) else { return nil }
    var groups = [groupID]
    for entry in group.split(separator: "\n").map({ fields($0) }) where entry.count >= 4 {
      let members = entry[3].split(separator: ",")
      guard members.contains(Substring(line[0])), let number = UInt32(entry[2]) else { continue }
      if !groups.contains(number) { groups.append(number) }
    }
    return UserAccount(
      name: line[0], userID: userID, groupID: groupID, groups: groups, home: line[5],
      shell: line[6])
  }

  private static func fields(_ line: Substring) -> [String] {
    line.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
  }
}
