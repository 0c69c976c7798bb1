import CLinux

/// The pages of the program itself that are mapped into memory.
///
/// A start touches most of a program of tens of megabytes (configuration, TLS, HTTP, the first
/// collection of everything), a turn only a small part. Measured: 25 MiB of file pages after the
/// start, a third of it an hour later once they were given back.
public enum ResidentCode {
  /// Gives all of them back; what is in use returns within a turn, from the page cache.
  public static func giveBack() { clinux_give_back_code() }
}
