import Glibc
import LifeguardAgent
import LifeguardHost
import TestSupport
import Testing

@Suite(.enabled(if: Requirement.root.isMet, "\(Requirement.root.reason)"))
struct PrivilegesTests {
  private func owner(_ path: String) -> UInt32? {
    var status = stat()
    return lstat(path, &status) == 0 ? status.st_uid : nil
  }

  @Test func `a directory is given with its files, but not what has another name elsewhere`() throws
  {
    let folder = try TemporaryFolder()
    defer { folder.remove() }
    let user = try #require(UserAccount.find("nobody"))
    let data = try folder.makeFolder("data")
    try folder.makeFolder("data/evidence")
    try folder.makeFolder("data/children")
    for name in ["data/state.db", "secret", "other"] {
      try TextFile.write("x", to: folder / name)
    }
    #expect(link(folder / "secret", data + "/hard") == 0)
    #expect(symlink(folder / "other", data + "/soft") == 0)
    try Privileges.give(data, to: user, mode: 0o700)
    for mine in [data, data + "/state.db", data + "/evidence"] {
      #expect(owner(mine) == user.userID, "\(mine)")
    }
    for theirs in [folder / "secret", folder / "other", data + "/soft", data + "/children"] {
      #expect(owner(theirs) == 0, "\(theirs)")
    }
  }
}
