/// Where a service of a region is.
enum Endpoint {
  /// The domain of a region's partition: `aws`, `aws-cn`, `aws-us-gov`.
  static func domain(_ region: String) -> String {
    region.hasPrefix("cn-") ? "amazonaws.com.cn" : "amazonaws.com"
  }

  /// The partition of a region, as in the names of its resources.
  static func partition(_ region: String) -> String {
    if region.hasPrefix("cn-") { return "aws-cn" }
    return region.hasPrefix("us-gov-") ? "aws-us-gov" : "aws"
  }

  /// Whether a text can be a region: it becomes part of a host's name.
  static func isRegion(_ text: String) -> Bool {
    (1...63).contains(text.utf8.count) && text.utf8.first != UInt8(ascii: "-")
      && text.utf8.last != UInt8(ascii: "-")
      && text.utf8.allSatisfy {
        (0x30...0x39).contains($0) || (0x61...0x7A).contains($0) || $0 == UInt8(ascii: "-")
      }
  }

  /// The address of a service by the region alone.
  static func standard(_ service: AWSService, region: String) -> AWSURL {
    AWSURL(host: "\(service.hostPrefix).\(region).\(domain(region))")
  }

  /// The address of a service: a given one, the environment's, the profile's, else by region.
  static func resolve(
    _ service: AWSService, region: String, settings: AWSSettings, files: SharedFiles
  ) throws(AWSConfigurationError) -> AWSURL {
    guard let (text, origin) = override(service, settings, files) else {
      return standard(service, region: region)
    }
    guard let url = AWSURL(text), url.query == nil else {
      throw AWSConfigurationError(
        "\(origin) is \"\(text)\", which is no address; write http://host:port or https://host")
    }
    return url
  }

  private static func override(
    _ service: AWSService, _ settings: AWSSettings, _ files: SharedFiles
  ) -> (text: String, origin: String)? {
    if let endpoint = settings.endpoint { return (endpoint, "the endpoint that was given") }
    guard !settings.isTrue("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS") else { return nil }
    for name in ["AWS_ENDPOINT_URL_\(service.variable)", "AWS_ENDPOINT_URL"] {
      if let value = settings.variable(name) { return (value, name) }
    }
    let profile = settings.profileName.name
    if let section = files.profile(profile)["services"],
      let value = files.services(section)["\(service.variable.lowercased()).endpoint_url"]
    {
      return (value, "endpoint_url of services \(section)")
    }
    return files.profile(profile)["endpoint_url"].map { ($0, "endpoint_url of profile \(profile)") }
  }
}

/// A setting that leads nowhere; in a client's errors as kind `configuration`.
struct AWSConfigurationError: Error {
  let reason: String

  init(_ reason: String) { self.reason = reason }
}
