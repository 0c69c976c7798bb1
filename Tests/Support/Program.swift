import Glibc

/// The programs of this package and their companions, as the test run built them.
public enum Program {
  /// The folder of the products of the build that runs the tests.
  ///
  /// The test runner is `…/debug/lifeguardPackageTests.xctest` or is started with its path as an
  /// argument; the programs stand beside it.
  public static var folder: String? {
    for argument in CommandLine.arguments + [ownPath] {
      guard let end = argument.firstRange(of: "PackageTests.xctest")?.lowerBound,
        let slash = argument[..<end].lastIndex(of: "/")
      else { continue }
      return String(argument[..<slash])
    }
    return nil
  }

  /// The `lifeguard` command, or nil when the run did not build it.
  public static var lifeguard: String? {
    guard let folder else { return nil }
    let path = folder + "/lifeguard"
    return access(path, X_OK) == 0 ? path : nil
  }

  /// The Lambda function: as it is shipped where there is a release, else the one beside the tests.
  public static var bootstrap: String? {
    guard let path = shippedBootstrap ?? folder.map({ $0 + "/bootstrap" }) else { return nil }
    return access(path, X_OK) == 0 ? path : nil
  }

  /// The Lambda function of a release: `make test` names the one that was built from these sources
  /// (scripts/test.sh).
  public static var shippedBootstrap: String? {
    getenv("LIFEGUARD_TEST_BOOTSTRAP").map { String(cString: $0) }
  }

  private static var ownPath: String { SourceTree.realPath("/proc/self/exe") ?? "" }
}

extension Requirement {
  /// The `lifeguard` command beside the tests.
  public static var lifeguard: Requirement {
    Requirement(isMet: Program.lifeguard != nil, reason: "needs the lifeguard command built")
  }
}
