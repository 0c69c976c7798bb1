extension AWSClient {
  public var cloudWatch: CloudWatch { CloudWatch(client: self) }
  public var logs: CloudWatchLogs { CloudWatchLogs(client: self) }
  public var sns: SNS { SNS(client: self) }
  public var ssm: SSM { SSM(client: self) }
  public var secretsManager: SecretStore { SecretStore(client: self) }
  public var ec2: EC2 { EC2(client: self) }
  public var autoScaling: AutoScaling { AutoScaling(client: self) }
  public var dynamoDB: DynamoDB { DynamoDB(client: self) }
  public var sts: STS { STS(client: self) }
  /// This machine's own, asked with the client's settings.
  public var instanceMetadata: InstanceMetadata {
    InstanceMetadata(settings, transport: transport, clock: clock)
  }
  public var lambda: LambdaService { LambdaService(client: self) }
}
