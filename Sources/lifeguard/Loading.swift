import Glibc
import LifeguardConfiguration
import LifeguardHost
import LifeguardServer

/// How this command reads configurations.
enum Loading {
  static var loader: ConfigurationLoader {
    ConfigurationLoader(
      files: .system, environment: { name in getenv(name).map { String(cString: $0) } },
      user: geteuid(), executable: Places.executable,
      collectors: CollectorRegistry.all(processes: ProcessWatch()).map(\.name),
      defaultPack: DefaultPack.text, supportsSNS: true, remoteSecret: RemoteSecrets.fetch)
  }

  /// The file to read: the one that was named, the default one if it exists, or none.
  static func mainFile(_ named: String?, _ loader: ConfigurationLoader) -> String? {
    if let named { return named }
    let usual = loader.defaultMainFile
    return access(usual, F_OK) == 0 ? usual : nil
  }

  /// Prints problems, one a line; errors last in number, first in the exit status.
  static func report(_ problems: [ConfigurationProblem]) {
    for problem in problems { StandardError.write(Printable.text("\(problem)") + "\n") }
  }
}
