/// Reads one kind of figures about the host.
///
/// A collector lives on one thread from its making to its end, so it needs no lock; it keeps its
/// descriptors open and its slots registered. It must not wait for anything that can hang unless
/// its registration says so (`isolated`), in which case it runs in a thread of its own.
public protocol Collector {
  /// Collects once: registers what is new, releases what is gone, writes every value there is.
  ///
  /// - Throws: when there is nothing to collect; all its series end then.
  mutating func collect(into scrape: inout Scrape) throws(CollectorError)
}
