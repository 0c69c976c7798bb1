import LifeguardCore

/// A random valid query, as a tree that can be made smaller.
struct RandomQuery {
  enum Kind {
    case scalar
    case vector
    case range
  }

  var kind: Kind
  /// With `$0`, `$1` … for the children.
  var form: String
  var children: [RandomQuery] = []

  var text: String {
    var result = form
    for index in children.indices.reversed() {
      result = result.replacing("$\(index)", with: children[index].text)
    }
    return result
  }

  var size: Int { children.reduce(1) { $0 + $1.size } }

  /// Smaller queries of the same kind: what is below it, and itself with one part made smaller.
  var reductions: [RandomQuery] {
    var result: [RandomQuery] = []
    func collect(_ node: RandomQuery) {
      for child in node.children {
        if child.kind == kind { result.append(child) }
        collect(child)
      }
    }
    collect(self)
    for index in children.indices {
      for smaller in children[index].reductions {
        var copy = self
        copy.children[index] = smaller
        result.append(copy)
      }
    }
    return result.sorted { $0.size < $1.size }
  }
}

/// Makes queries of everything that is stable in Prometheus 2.42.
struct QueryGenerator {
  var random: RandomSource
  /// Inside a subquery another one would begin on its steps, where versions differ.
  private var isInSubquery = false

  init(seed: UInt64) {
    random = RandomSource(seed: seed)
  }

  mutating func query() -> RandomQuery {
    random.chance(5) ? scalar(3) : vector(random.integer(1...4))
  }

  // MARK: Vectors

  private mutating func vector(_ depth: Int) -> RandomQuery {
    guard depth > 0 else { return leaf() }
    switch random.integer(0...19) {
    case 0...1: return leaf()
    case 2...4: return aggregation(depth)
    case 5...7: return overRange(depth)
    case 8: return elementFunction(depth)
    case 9...10: return withScalar(depth)
    case 11...13: return matched(depth)
    case 14: return setOperation(depth)
    case 15: return histogram(depth)
    case 16: return labelFunction(depth)
    case 17: return absence(depth)
    case 18: return timeFunction()
    default: return other(depth)
    }
  }

  private mutating func leaf() -> RandomQuery {
    RandomQuery(kind: .vector, form: selector() + modifiers())
  }

  /// `$v` stands for the matcher of the data's variant.
  private mutating func selector(_ names: [String] = ["c_total", "steady_total", "g", "n"])
    -> String
  {
    var matchers = ["$v"]
    let choices = [
      #"job="a""#, #"job!="a""#, #"instance=~"1|2""#, #"instance!~"[23]""#, #"mode="x""#,
      #"mode=~".*""#, #"mode=~"x?""#, #"mode!="""#, #"job=~"(a|b)""#, #"nothing="""#,
      #"instance=~"[^1]+""#, #"job=~"a.*|b""#,
    ]
    for _ in 0..<random.integer(0...2) { matchers.append(random.pick(choices)) }
    return "\(random.pick(names)){\(matchers.joined(separator: ","))}"
  }

  private mutating func modifiers(mayFixTime: Bool = true) -> String {
    var text = ""
    if random.chance(8), mayFixTime {
      text += random.pick([
        " @ \(Double(RandomData.start) / 1000 + Double(random.integer(900...2500)) + 0.5)",
        " @ start()", " @ end()",
      ])
    }
    if random.chance(12) { text += " offset \(random.pick(["30s", "1m", "5m", "-45s"]))" }
    return text
  }

  private mutating func grouping() -> String {
    let labels = ["job", "instance", "mode", "nothing", "version"]
    let chosen = labels.filter { _ in random.chance(35) }.joined(separator: ", ")
    return random.pick([" ", " by (\(chosen)) ", " by (\(chosen)) ", " without (\(chosen)) "])
  }

  private mutating func aggregation(_ depth: Int) -> RandomQuery {
    let name = random.pick([
      "sum", "avg", "min", "max", "count", "group", "stddev", "stdvar", "sum", "avg", "quantile",
      "topk", "bottomk", "count_values",
    ])
    let by = grouping()
    switch name {
    case "topk", "bottomk":
      // Among equal values either may come first: raw numbers are all different.
      let inner = RandomQuery(kind: .vector, form: selector(["n"]))
      return RandomQuery(
        kind: .vector, form: "\(name)\(by)(\(random.integer(0...4)), $0)", children: [inner])
    case "quantile":
      return RandomQuery(
        kind: .vector,
        form: "quantile\(by)(\(random.pick(["0.5", "0", "1", "0.9", "-1", "2", "0.33"])), $0)",
        children: [vector(depth - 1)])
    case "count_values":
      return RandomQuery(
        kind: .vector, form: "count_values\(by)(\"value\", $0)",
        children: [RandomQuery(kind: .vector, form: "round($0, 10)", children: [leaf()])])
    case "stddev", "stdvar":
      return RandomQuery(kind: .vector, form: "\(name)\(by)($0)", children: [finite()])
    default:
      return RandomQuery(
        kind: .vector, form: "\(name)\(by)($0)", children: [vector(depth - 1)])
    }
  }

  /// Without infinities, whose variance and trend are others since 2.54, and without numbers as
  /// large as times, whose variance depends on their order.
  private mutating func finite() -> RandomQuery {
    RandomQuery(
      kind: .vector, form: selector(["c_total", "steady_total", "n"]) + modifiers())
  }

  private mutating func elementFunction(_ depth: Int) -> RandomQuery {
    let forms = [
      "abs($0)", "ceil($0)", "floor($0)", "exp($0)", "sqrt($0)", "ln($0)", "log2($0)",
      "log10($0)", "sgn($0)", "sin($0)", "cos($0)", "tan($0)", "asin($0)", "acos($0)", "atan($0)",
      "sinh($0)", "cosh($0)", "tanh($0)", "asinh($0)", "acosh($0)", "atanh($0)", "rad($0)",
      "deg($0)", "round($0)", "round($0, 5)", "clamp($0, -10, 40)", "clamp_min($0, 3)",
      "clamp_max($0, 7.5)", "clamp($0, 10, -10)", "-$0", "+$0",
    ]
    let inner = vector(depth - 1)
    return RandomQuery(kind: .vector, form: "(\(random.pick(forms)))", children: [inner])
  }

  private mutating func withScalar(_ depth: Int) -> RandomQuery {
    // Go's power of an exponent as large as a time is exact to seven digits only.
    if random.chance(5) {
      return RandomQuery(
        kind: .vector, form: "($0 ^ $1)", children: [vector(depth - 1), scalar(0)])
    }
    let operation = operation()
    let order = random.chance(50) ? "($0 \(operation) $1)" : "($1 \(operation) $0)"
    let form = operation == "atan2" ? "abs\(order)" : order
    return RandomQuery(
      kind: .vector, form: form, children: [vector(depth - 1), scalar(depth - 1)])
  }

  private mutating func operation() -> String {
    random.pick([
      "+", "-", "*", "/", "%", "atan2", "==", "!=", ">", "<", ">=", "<=", "== bool",
      "!= bool", "> bool", "< bool", ">= bool", "<= bool",
    ])
  }

  private mutating func matched(_ depth: Int) -> RandomQuery {
    let matching = random.pick([
      "", "", " ignoring (mode)", " on (job, instance)", " on (job)", " ignoring (nothing)",
      " on (job, instance) group_left ()", " on (job) group_left (version)",
      " on (job, instance) group_right ()", " ignoring (mode) group_left ()", " on () ",
      " on (job, instance) group_right (mode)",
    ])
    if matching.contains("version") {
      return RandomQuery(
        kind: .vector, form: "($0 *\(matching) $1)",
        children: [vector(depth - 1), RandomQuery(kind: .vector, form: "i{$v}")])
    }
    let operation = operation()
    // 2.42 keeps the name of what atan2 gives; abs drops it in every version.
    let start = operation == "atan2" ? "abs" : ""
    return RandomQuery(
      kind: .vector, form: "\(start)($0 \(operation)\(matching) $1)",
      children: [vector(depth - 1), vector(depth - 1)])
  }

  private mutating func setOperation(_ depth: Int) -> RandomQuery {
    let matching = random.pick(["", "", " on (job)", " ignoring (mode)", " on (job, instance)"])
    return RandomQuery(
      kind: .vector, form: "($0 \(random.pick(["and", "or", "unless"]))\(matching) $1)",
      children: [vector(depth - 1), vector(depth - 1)])
  }

  private mutating func histogram(_ depth: Int) -> RandomQuery {
    let buckets = random.pick([
      "h_bucket{$v}", "rate(h_bucket{$v}[5m])", "sum by (le) (rate(h_bucket{$v}[5m]))",
      "sum by (job, le) (h_bucket{$v} offset 1m)",
    ])
    return RandomQuery(
      kind: .vector,
      form: "histogram_quantile(\(random.pick(["0.5", "0.9", "0", "1", "-0.1", "1.1"])), $0)",
      children: [RandomQuery(kind: .vector, form: buckets)])
  }

  private mutating func labelFunction(_ depth: Int) -> RandomQuery {
    let form = random.pick([
      #"label_replace($0, "new", "${1}-x", "job", "(.*)")"#,
      #"label_replace($0, "instance", "", "job", "a")"#,
      #"label_replace($0, "mode", "m", "instance", "[12]")"#,
      #"label_join($0, "joined", "-", "job", "instance")"#,
      #"label_join($0, "mode", ",", "nothing")"#, "sort($0)", "sort_desc($0)",
    ])
    return RandomQuery(kind: .vector, form: form, children: [vector(depth - 1)])
  }

  private mutating func absence(_ depth: Int) -> RandomQuery {
    if random.chance(50) {
      return RandomQuery(
        kind: .vector, form: "absent($0)",
        children: [
          random.chance(50)
            ? vector(depth - 1)
            : RandomQuery(kind: .vector, form: #"missing{$v,job="a",mode=~"x"}"#)
        ])
    }
    return RandomQuery(
      kind: .vector, form: "absent_over_time($0)", children: [range(depth - 1)])
  }

  private mutating func timeFunction() -> RandomQuery {
    let name = random.pick([
      "hour", "minute", "month", "year", "day_of_month", "day_of_week", "day_of_year",
      "days_in_month",
    ])
    let argument = random.pick([
      "", "vector(time())", "timestamp(n{$v})", "timestamp(n{$v}) * 0.9", "vector(time() / 3)",
    ])
    return RandomQuery(kind: .vector, form: "\(name)(\(argument))")
  }

  private mutating func other(_ depth: Int) -> RandomQuery {
    switch random.integer(0...2) {
    case 0: return RandomQuery(kind: .vector, form: "vector($0)", children: [scalar(depth - 1)])
    case 1:
      let inner = vector(depth - 1)
      // Of a selector with both, see `KnownDifference`.
      let isShifted = inner.form.contains(" @ ") && inner.form.contains(" offset ")
      return RandomQuery(
        kind: .vector, form: isShifted ? "timestamp(+$0)" : "timestamp($0)", children: [inner])
    default:
      return RandomQuery(kind: .vector, form: "i{$v,job=~\"a|b\"}")
    }
  }

  // MARK: Ranges

  private mutating func overRange(_ depth: Int) -> RandomQuery {
    let forms = [
      "rate($0)", "rate($0)", "increase($0)", "delta($0)", "irate($0)", "idelta($0)",
      "deriv($0)", "predict_linear($0, 60)", "changes($0)", "resets($0)", "avg_over_time($0)",
      "sum_over_time($0)", "min_over_time($0)", "max_over_time($0)", "count_over_time($0)",
      "last_over_time($0)", "present_over_time($0)", "stddev_over_time($0)",
      "stdvar_over_time($0)", "quantile_over_time(0.7, $0)", "quantile_over_time(1.5, $0)",
      "holt_winters($0, 0.3, 0.6)",
    ]
    let form = random.pick(forms)
    // What comes near zero is stretched differently by 2.42: only counters that do not.
    if form.hasPrefix("rate") || form.hasPrefix("increase") {
      let counter = selector(["c_total", "steady_total"])
      let length = random.pick(["1m", "5m", "2m30s", "10m"])
      let range = RandomQuery(kind: .range, form: "\(counter)[\(length)]\(modifiers())")
      return RandomQuery(kind: .vector, form: form, children: [range])
    }
    if ["deriv", "predict", "stddev", "stdvar"].contains(where: { form.hasPrefix($0) }) {
      return RandomQuery(kind: .vector, form: form, children: [finiteRange()])
    }
    return RandomQuery(kind: .vector, form: form, children: [range(depth - 1)])
  }

  /// Without `@`: in spite of it, `predict_linear` moved its window at every step in 2.42.
  private mutating func finiteRange() -> RandomQuery {
    let length = random.pick(["1m", "5m", "47s", "2m30s", "10m", "20s"])
    let series = selector(["c_total", "steady_total", "n"])
    let modifiers = modifiers(mayFixTime: false)
    return RandomQuery(kind: .range, form: "\(series)[\(length)]\(modifiers)")
  }

  private mutating func range(_ depth: Int) -> RandomQuery {
    let length = random.pick(["1m", "5m", "47s", "2m30s", "10m", "20s"])
    if depth > 0, !isInSubquery, random.chance(30) {
      isInSubquery = true
      defer { isInSubquery = false }
      let step = random.pick(["30s", "1m", "17s", "", "13s"])
      return RandomQuery(
        kind: .range, form: "($0)[\(length):\(step)]\(modifiers())", children: [vector(depth - 1)])
    }
    return RandomQuery(kind: .range, form: "\(selector())[\(length)]\(modifiers())")
  }

  // MARK: Scalars

  private mutating func scalar(_ depth: Int) -> RandomQuery {
    switch depth > 0 ? random.integer(0...6) : 0 {
    case 1: return RandomQuery(kind: .scalar, form: "time()")
    case 2: return RandomQuery(kind: .scalar, form: "pi()")
    case 3:
      return RandomQuery(kind: .scalar, form: "scalar($0)", children: [vector(depth - 1)])
    case 4:
      let operation = random.pick(["+", "-", "*", "/", "%", "^", "== bool", "> bool", "<= bool"])
      return RandomQuery(
        kind: .scalar, form: "($0 \(operation) $1)", children: [scalar(depth - 1), scalar(0)])
    default:
      return RandomQuery(
        kind: .scalar,
        form: random.pick(["1", "0", "2.5", "-3", "1e3", "10", "NaN", "Inf", "0x10", "40"]))
    }
  }
}
