import ArgumentParser
import LifeguardCore
import LifeguardServer

/// `lifeguard query EXPR`.
struct QueryNow: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "query", abstract: "A PromQL query, now or over a range.",
    discussion: """
      Asks the running agent. Where none runs, --data names the directory that it left behind, and \
      the query is answered from its samples, as of the newest one unless --time says otherwise.

      Example: lifeguard query CPUUtilization
               lifeguard query 'rate(node_network_receive_bytes_total[1m])' --range 1h --step 10s
      """)

  @Argument(help: "A PromQL expression.")
  var expression: String

  @Option(help: ArgumentHelp("How far back from the end to go.", valueName: "duration"))
  var range: String?

  @Option(
    help: ArgumentHelp(
      "From one value to the next, with --range; a 250th of it if not given.",
      valueName: "duration"))
  var step: String?

  @Option(
    help: ArgumentHelp(
      "When, or until when with --range: RFC 3339 or seconds since 1970; now if not given.",
      valueName: "time"))
  var time: String?

  @OptionGroup var agent: AgentOptions
  @OptionGroup var output: OutputOptions

  func validate() throws {
    if step != nil, range == nil { throw ValidationError("--step needs --range") }
    _ = try question()
  }

  func question() throws -> QueryQuestion {
    do throws(QueryQuestion.Problem) {
      return try QueryQuestion(expression: expression, range: range, step: step, time: time)
    } catch {
      throw ValidationError(error.message)
    }
  }

  func run() throws {
    let question = try question()
    var client = agent.client
    // A query may take two minutes.
    client.timeoutSeconds = 150
    let answer: JSON
    do throws(AgentClient.Failure) {
      answer = try question.ask(client)
    } catch {
      if case .unreachable = error, let directory = agent.data {
        answer = try StoredQuery(directory: Places.absolute(directory)).answer(question)
      } else {
        StandardError.write("lifeguard: \(Printable.text("\(error)"))\n")
        if case .unreachable = error { throw ExitCode.unreachable }
        throw ExitCode.problem
      }
    }
    let text = QueryText(answer)
    for remark in text.remarks { StandardError.write("lifeguard: \(remark)\n") }
    output.print(answer["data"] ?? .null) { for line in text.lines { print(line) } }
  }
}
