/// A service: how its calls are written, signed and found.
///
/// The values are those of the service's model in botocore (`metadata`).
public struct AWSService: Hashable, Sendable {
  enum Form: Hashable, Sendable {
    /// JSON with `X-Amz-Target: prefix.Action`.
    case json(version: String, target: String)
    /// A form and an answer in XML, of the query or the ec2 protocol.
    case query(version: String)
    /// Paths and methods of the service's own.
    case rest
  }

  /// For messages, and the first part of IAM actions: `cloudwatch`.
  public let name: String
  /// The first label of its host: `monitoring`.
  let hostPrefix: String
  /// Ends `AWS_ENDPOINT_URL_…`: `CLOUDWATCH`.
  let variable: String
  let form: Form
  /// Whether errors are asked for with the codes of the old query protocol.
  var wantsQueryErrors = false

  /// What a request is signed for; all the services here sign with their host's prefix.
  var signingName: String { hostPrefix }

  public static let cloudWatch = AWSService(
    name: "cloudwatch", hostPrefix: "monitoring", variable: "CLOUDWATCH",
    form: .json(version: "1.0", target: "GraniteServiceVersion20100801"), wantsQueryErrors: true)
  public static let logs = AWSService(
    name: "logs", hostPrefix: "logs", variable: "CLOUDWATCH_LOGS",
    form: .json(version: "1.1", target: "Logs_20140328"))
  public static let sns = AWSService(
    name: "sns", hostPrefix: "sns", variable: "SNS", form: .query(version: "2010-03-31"))
  public static let ssm = AWSService(
    name: "ssm", hostPrefix: "ssm", variable: "SSM",
    form: .json(version: "1.1", target: "AmazonSSM"))
  public static let secretsManager = AWSService(
    name: "secretsmanager", hostPrefix: "secretsmanager", variable: "SECRETS_MANAGER",
    form: .json(version: "1.1", target: "secretsmanager"))
  public static let ec2 = AWSService(
    name: "ec2", hostPrefix: "ec2", variable: "EC2", form: .query(version: "2016-11-15"))
  public static let autoScaling = AWSService(
    name: "autoscaling", hostPrefix: "autoscaling", variable: "AUTO_SCALING",
    form: .query(version: "2011-01-01"))
  public static let dynamoDB = AWSService(
    name: "dynamodb", hostPrefix: "dynamodb", variable: "DYNAMODB",
    form: .json(version: "1.0", target: "DynamoDB_20120810"))
  public static let sts = AWSService(
    name: "sts", hostPrefix: "sts", variable: "STS", form: .query(version: "2011-06-15"))
  public static let lambda = AWSService(
    name: "lambda", hostPrefix: "lambda", variable: "LAMBDA", form: .rest)
  public static let events = AWSService(
    name: "events", hostPrefix: "events", variable: "EVENTBRIDGE",
    form: .json(version: "1.1", target: "AWSEvents"))

  static var all: [AWSService] {
    [
      cloudWatch, logs, sns, ssm, secretsManager, ec2, autoScaling, dynamoDB, sts, lambda, events,
    ]
  }
}
