/// Our own cases for the language, in the format of Prometheus' test scripts.
///
/// Each function, aggregation and operator has at least one case here, with numbers that can be
/// checked by hand, so that the language is proven without anything from outside the repository.
enum LanguageScripts {
  static let all: [(name: String, text: String)] = [
    ("selectors", selectors), ("operators", operators), ("matching", matching),
    ("aggregations", aggregations), ("rates", rates), ("over time", overTime),
    ("numbers", numbers), ("labels", labels), ("absence", absence), ("histograms", histograms),
    ("calendar", calendar), ("times", times), ("ranges", ranges), ("repeated", repeated),
  ]

  static let selectors = """
    load 10s
      cpu{host="a",mode="user"} 1 2 3 stale 5
      cpu{host="b",mode="user"} 10 20 30 40 50
      cpu{host="b",mode="idle"} 7x4
      disk{host="a"} 100

    eval instant at 20s cpu{mode="user"}
      cpu{host="a",mode="user"} 3
      cpu{host="b",mode="user"} 30

    eval instant at 30s cpu{mode="user"}
      cpu{host="b",mode="user"} 40

    eval instant at 40s cpu{host=~"a|c"}
      cpu{host="a",mode="user"} 5

    eval instant at 40s cpu{host!="a",mode!~"us.*"}
      cpu{host="b",mode="idle"} 7

    eval instant at 40s {__name__=~"c.u|disk",host="a"}
      cpu{host="a",mode="user"} 5
      disk{host="a"} 100

    eval instant at 40s {"disk", "host"='a'}
      disk{host="a"} 100

    eval instant at 40s disk{nolabel=""}
      disk{host="a"} 100

    # The lookback of five minutes is open at its older end.
    eval instant at 299999ms disk
      disk{host="a"} 100

    eval instant at 5m disk

    eval instant at 40s cpu{host="b",mode="user"} offset 15s
      cpu{host="b",mode="user"} 30

    eval instant at 5s cpu{host="b",mode="user"} offset -15s
      cpu{host="b",mode="user"} 30

    eval instant at 0s cpu{host="b",mode="user"} @ 20 offset 10s
      cpu{host="b",mode="user"} 20

    # So is a range: the sample exactly ten seconds ago is outside.
    eval instant at 40s cpu{host="b",mode="user"}[10s]
      expect range vector from 40s to 40s step 10s
      cpu{host="b",mode="user"} 50

    # A staleness marker is no sample of a range.
    eval instant at 40s count_over_time(cpu{host="a"}[1m])
      {host="a",mode="user"} 4
    """

  static let operators = """
    load 1m
      a{k="x"} 6
      a{k="y"} -4
      b{k="x"} 4

    eval instant at 1m a + 1
      {k="x"} 7
      {k="y"} -3

    eval instant at 1m a - b
      {k="x"} 2

    eval instant at 1m a * b
      {k="x"} 24

    eval instant at 1m a / b
      {k="x"} 1.5

    eval instant at 1m a % b
      {k="x"} 2

    eval instant at 1m a{k="y"} % 3
      {k="y"} -1

    eval instant at 1m a ^ 2
      {k="x"} 36
      {k="y"} 16

    eval instant at 1m a atan2 b
      {k="x"} 0.982793723247329

    eval instant at 1m -a
      {k="x"} -6
      {k="y"} 4

    eval instant at 1m +a
      a{k="x"} 6
      a{k="y"} -4

    eval instant at 1m a > 0
      a{k="x"} 6

    eval instant at 1m 0 > a
      a{k="y"} -4

    eval instant at 1m a >= bool 6
      {k="x"} 1
      {k="y"} 0

    eval instant at 1m a == b

    eval instant at 1m a != b
      a{k="x"} 6

    eval instant at 1m a <= bool b
      {k="x"} 0

    eval instant at 1m 7 % 4 + 2 ^ 3 ^ 0
      5

    eval instant at 1m 1 < bool 2
      1

    eval instant at 1m 1 / 0 - 1 / 0
      NaN

    eval instant at 1m NaN != bool NaN
      1

    eval instant at 1m "text"
      expect string "text"
    """

  static let matching = """
    load 1m
      used{host="a",disk="1"} 20
      used{host="a",disk="2"} 30
      used{host="b",disk="1"} 5
      size{host="a"} 100
      size{host="b"} 50
      owner{host="a",team="x"} 1
      owner{host="b"} 1
      spare{host="c"} 9

    eval instant at 1m used / on(host) group_left size
      {host="a",disk="1"} 0.2
      {host="a",disk="2"} 0.3
      {host="b",disk="1"} 0.1

    eval instant at 1m size * ignoring(disk) group_right used
      {host="a",disk="1"} 2000
      {host="a",disk="2"} 3000
      {host="b",disk="1"} 250

    # A label that the one side does not have is removed from the many.
    eval instant at 1m used * on(host) group_left(team) owner
      {host="a",disk="1",team="x"} 20
      {host="a",disk="2",team="x"} 30
      {host="b",disk="1"} 5

    eval instant at 1m used / on(host) size
      expect fail msg: multiple matches for labels: many-to-one matching must be explicit (group_left/group_right)

    eval instant at 1m size / on(host) used
      expect fail msg: many-to-many matching not allowed: matching labels must be unique on one side

    eval instant at 1m used * on(host) group_left(disk) owner
      expect fail msg: multiple matches for labels: grouping labels must ensure unique matches

    eval instant at 1m size and on(host) owner{team="x"}
      size{host="a"} 100

    eval instant at 1m size unless on(host) owner{team="x"}
      size{host="b"} 50

    eval instant at 1m size or spare
      size{host="a"} 100
      size{host="b"} 50
      spare{host="c"} 9

    eval instant at 1m size or on(host) used
      size{host="a"} 100
      size{host="b"} 50

    eval instant at 1m size > on(host) used{disk="1"}
      {host="a"} 100
      {host="b"} 50

    eval instant at 1m size >bool on(host) (used{disk="1"} * 10)
      {host="a"} 0
      {host="b"} 0
    """

  static let aggregations = """
    load 1m
      m{g="p",i="1"} 1
      m{g="p",i="2"} 3
      m{g="q",i="1"} NaN
      m{g="q",i="2"} 8
      big{i="1"} 1e100
      big{i="2"} 1
      big{i="3"} -1e100

    eval instant at 1m sum by (g) (m)
      {g="p"} 4
      {g="q"} NaN

    eval instant at 1m sum without (i) (m{g="p"})
      {g="p"} 4

    # Compensated, or the 1 would be lost.
    eval instant at 1m sum(big)
      {} 1

    eval instant at 1m avg(big) * 3
      {} 1

    eval instant at 1m avg by (g) (m)
      {g="p"} 2
      {g="q"} NaN

    eval instant at 1m min by (g) (m)
      {g="p"} 1
      {g="q"} 8

    eval instant at 1m max(m)
      {} 8

    eval instant at 1m count by (i) (m)
      {i="1"} 2
      {i="2"} 2

    eval instant at 1m group(m)
      {} 1

    eval instant at 1m stddev(m{g="p"})
      {} 1

    eval instant at 1m stdvar(m{g="p"})
      {} 1

    eval instant at 1m topk(2, m)
      expect ordered
      m{g="q",i="2"} 8
      m{g="p",i="2"} 3

    eval instant at 1m bottomk(4, m)
      expect ordered
      m{g="p",i="1"} 1
      m{g="p",i="2"} 3
      m{g="q",i="2"} 8
      m{g="q",i="1"} NaN

    eval instant at 1m topk by (g) (1, m)
      m{g="p",i="2"} 3
      m{g="q",i="2"} 8

    eval instant at 1m topk(0, m)

    eval instant at 1m topk(NaN, m)
      expect fail msg: Parameter value is NaN

    eval instant at 1m quantile(0.5, m{g="p"})
      {} 2

    eval instant at 1m quantile(2, m{g="p"})
      expect warn msg: PromQL warning: quantile value should be between 0 and 1, got 2
      {} +Inf

    eval instant at 1m count_values("v", m)
      {v="1"} 1
      {v="3"} 1
      {v="8"} 1
      {v="NaN"} 1

    eval instant at 1m sum(nothing)

    eval instant at 1m sum by (__name__) (rate(m[1m]) or m{i="1"})
      m NaN
    """

  static let rates = """
    load 10s
      jobs_total{q="steady"} 0+10x30
      jobs_total{q="reset"} 0 10 20 30 5 15 25
      gauge 10 12 11 15

    eval instant at 5m rate(jobs_total{q="steady"}[1m])
      {q="steady"} 1

    eval instant at 1m increase(jobs_total{q="reset"}[70s])
      {q="reset"} 55

    eval instant at 1m resets(jobs_total{q="reset"}[70s])
      {q="reset"} 1

    eval instant at 40s irate(jobs_total{q="reset"}[1m])
      {q="reset"} 0.5

    eval instant at 30s delta(gauge[40s])
      expect no_info
      {} 6.666666666666667

    eval instant at 30s idelta(gauge[1m])
      {} 4

    eval instant at 30s changes(gauge[1m])
      {} 3

    # Two samples at least, and no name of a counter is remarked upon.
    eval instant at 0s rate(gauge[1m])

    eval instant at 30s rate(gauge[1m])
      expect info msg: PromQL info: metric might not be a counter, name does not end in _total/_sum/_count/_bucket: "gauge"
      {} 0.33055555555555555

    # The counter began at 0 at time 0: nothing is added before it.
    eval instant at 20s increase(jobs_total{q="steady"}[1m])
      {q="steady"} 20

    eval instant at 5m deriv(jobs_total{q="steady"}[2m])
      {q="steady"} 1

    eval instant at 5m predict_linear(jobs_total{q="steady"}[2m], 60)
      {q="steady"} 360

    eval instant at 5m rate(jobs_total{q="steady"}[1m] offset 1m)
      {q="steady"} 1

    eval instant at 5m max_over_time(rate(jobs_total{q="steady"}[30s])[1m:10s])
      {q="steady"} 1

    # Steps of a subquery are multiples of the step: here 50 s and 60 s.
    eval instant at 65s sum_over_time(jobs_total{q="steady"}[20s:10s])
      {q="steady"} 110
    """

  static let overTime = """
    load 10s
      v 4 1 NaN 3 2
      w 2 4 6 8

    eval instant at 40s sum_over_time(w[1m])
      {} 20

    eval instant at 40s avg_over_time(w[1m])
      {} 5

    eval instant at 40s min_over_time(v[1m])
      {} 1

    eval instant at 40s max_over_time(v[1m])
      {} 4

    eval instant at 40s count_over_time(v[1m])
      {} 5

    eval instant at 40s last_over_time(v[1m])
      v 2

    eval instant at 40s present_over_time(v[1m])
      {} 1

    eval instant at 40s stddev_over_time(w[1m])
      {} 2.23606797749979

    eval instant at 40s stdvar_over_time(w[1m])
      {} 5

    eval instant at 40s quantile_over_time(0.5, w[1m])
      {} 5

    eval instant at 40s quantile_over_time(-1, w[1m])
      expect warn
      {} -Inf
    """

  static let numbers = """
    load 1m
      n{s="p"} 2.5
      n{s="n"} -2.5
      one 1

    eval instant at 1m abs(n)
      {s="p"} 2.5
      {s="n"} 2.5

    eval instant at 1m ceil(n)
      {s="p"} 3
      {s="n"} -2

    eval instant at 1m floor(n)
      {s="p"} 2
      {s="n"} -3

    eval instant at 1m round(n)
      {s="p"} 3
      {s="n"} -2

    eval instant at 1m round(n, 2)
      {s="p"} 2
      {s="n"} -2

    eval instant at 1m sgn(n)
      {s="p"} 1
      {s="n"} -1

    eval instant at 1m clamp(n, -1, 1)
      {s="p"} 1
      {s="n"} -1

    # An infinity counts even beside NaN, as in Go.
    eval instant at 1m clamp_min(n * NaN, Inf)
      {s="p"} Inf
      {s="n"} Inf

    eval instant at 1m clamp(n * NaN, -Inf, 1)
      {s="p"} NaN
      {s="n"} NaN

    eval instant at 1m clamp_max(n * NaN, -Inf)
      {s="p"} -Inf
      {s="n"} -Inf

    eval instant at 1m clamp_min(n, 0)
      {s="p"} 2.5
      {s="n"} 0

    eval instant at 1m clamp_max(n, 0)
      {s="p"} 0
      {s="n"} -2.5

    eval instant at 1m clamp(n, 1, 0)

    eval instant at 1m sqrt(n{s="p"} * 1.6)
      {s="p"} 2

    eval instant at 1m exp(one)
      {} 2.718281828459045

    eval instant at 1m ln(exp(one)) + log2(one * 8) + log10(one * 1000)
      {} 7

    eval instant at 1m sin(one) ^ 2 + cos(one) ^ 2
      {} 1

    eval instant at 1m tan(atan(one)) + asin(one * 0) + acos(one)
      {} 1

    eval instant at 1m cosh(one) ^ 2 - sinh(one) ^ 2
      {} 1

    eval instant at 1m asinh(sinh(one)) + acosh(one) + atanh(tanh(one))
      {} 2

    eval instant at 1m deg(rad(one * 180)) / pi() - 180 / pi() + 1
      {} 1

    eval instant at 1m sort(n)
      expect ordered
      n{s="n"} -2.5
      n{s="p"} 2.5

    eval instant at 1m sort_desc(n)
      expect ordered
      n{s="p"} 2.5
      n{s="n"} -2.5

    eval instant at 1m scalar(one) + 1
      2

    eval instant at 1m scalar(n)
      NaN

    eval instant at 1m vector(3)
      {} 3
    """

  static let labels = """
    load 1m
      up{instance="web-1:9100",job="node"} 1
      up{instance="web-2:9100",job="node"} 0

    eval instant at 1m label_replace(up, "host", "$1", "instance", "(.*):.*")
      up{instance="web-1:9100",job="node",host="web-1"} 1
      up{instance="web-2:9100",job="node",host="web-2"} 0

    # The whole value has to match.
    eval instant at 1m label_replace(up, "host", "$1", "instance", "web-(.)")
      up{instance="web-1:9100",job="node"} 1
      up{instance="web-2:9100",job="node"} 0

    # An empty result removes the label.
    eval instant at 1m label_replace(up, "job", "", "job", ".*")
      up{instance="web-1:9100"} 1
      up{instance="web-2:9100"} 0

    eval instant at 1m label_replace(up, "instance", "same", "instance", ".*")
      expect fail msg: vector cannot contain metrics with the same labelset

    eval instant at 1m label_join(up, "id", "/", "job", "none", "instance")
      up{instance="web-1:9100",job="node",id="node//web-1:9100"} 1
      up{instance="web-2:9100",job="node",id="node//web-2:9100"} 0
    """

  static let absence = """
    load 1m
      here{a="b"} 1

    eval instant at 1m absent(here)

    eval instant at 1m absent(gone{a="b",c=~"d",e!="f"})
      {a="b"} 1

    eval instant at 1m absent(sum(gone{a="b"}))
      {} 1

    eval instant at 1m absent_over_time(gone{a="b"}[5m])
      {a="b"} 1

    eval instant at 1m absent_over_time(here[5m])

    eval range from 0 to 8m step 2m absent(here)
      {} _ _ _ 1 1
    """

  static let histograms = """
    load 1m
      t_bucket{le="1"} 10
      t_bucket{le="2"} 30
      t_bucket{le="4e0"} 40
      t_bucket{le="+Inf"} 50
      odd_bucket{le="1"} 10
      odd_bucket{le="2"} 5
      odd_bucket{le="+Inf"} 20
      open_bucket{le="1"} 10
      open_bucket{le="2"} 20

    eval instant at 1m histogram_quantile(0.5, t_bucket)
      expect no_info
      {} 1.75

    eval instant at 1m histogram_quantile(0.99, t_bucket)
      {} 4

    eval instant at 1m histogram_quantile(-1, t_bucket)
      expect warn
      {} -Inf

    eval instant at 1m histogram_quantile(0.5, open_bucket)
      {} NaN

    eval instant at 1m histogram_quantile(0.5, odd_bucket)
      expect info msg: PromQL info: input to histogram_quantile needed to be fixed for monotonicity (see https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile) for metric name "odd_bucket", from buckets 2 to 2, with a max diff of 5, over 1 samples from 1970-01-01T00:01:00Z to 1970-01-01T00:01:00Z
      {} 1

    # All that was changed is said at once.
    eval range from 1m to 3m step 1m histogram_quantile(0.5, odd_bucket)
      expect info regex: from buckets 2 to 2, with a max diff of 5, over 3 samples from 1970-01-01T00:01:00Z to 1970-01-01T00:03:00Z$
      {} 1 1 1

    eval instant at 1m histogram_fraction(1, 2, t_bucket)
      {} 0.4

    eval instant at 1m histogram_quantile(0.5, sum by (le) (t_bucket or open_bucket * 0))
      {} 1.75

    eval instant at 1m histogram_quantile(0.5, {__name__=~"t_bucket|odd_bucket"})
      expect fail
    """

  static let calendar = """
    eval instant at 0s hour(vector(1709210096)) + minute(vector(1709210096)) / 100
      {} 12.34

    eval instant at 0s year(vector(1709210096)) + month(vector(1709210096)) / 100
      {} 2024.02

    eval instant at 0s day_of_month(vector(1709210096)) + day_of_week(vector(1709210096)) / 10
      {} 29.4

    eval instant at 0s day_of_year(vector(1709210096))
      {} 60

    eval instant at 0s days_in_month(vector(1709210096))
      {} 29

    eval instant at 0s days_in_month(vector(-1))
      {} 31

    eval instant at 90m hour()
      {} 1
    """

  static let times = """
    load 10s
      s 1 2 3

    eval instant at 25s time()
      25

    eval instant at 25s timestamp(s)
      {} 20

    eval instant at 25s timestamp(s + 0)
      {} 25

    eval instant at 25s timestamp(s @ 10)
      {} 10

    eval instant at 25s timestamp((s @ 20 offset 10s))
      {} 10

    eval instant at 25s timestamp(s offset 10s)
      {} 10
    """

  static let ranges = """
    load 10s
      s 1 2 3 4 5 6
      t{x="1"} 1 _ 3

    eval range from 0 to 50s step 10s s > 3
      s _ _ _ 4 5 6

    eval range from 0 to 50s step 25s s
      s 1 3 6

    eval range from 0 to 20s step 10s s @ start() + s @ end()
      {} 4 4 4

    eval range from 0 to 50s step 10s count_over_time(s[step()])
      {} 1 1 1 1 1 1

    eval range from 0 to 20s step 10s s offset range()
      s _ _ 1

    eval range from 10s to 30s step 10s sum_over_time(s[20s:10s])
      {} 3 5 7

    eval instant at 20s last_over_time((-s)[30s:10s])
      {} -3

    # What has lost its name is another series than the one it was made from.
    eval range from 0 to 20s step 10s count_over_time(t[5s]) or t
      {x="1"} 1 _ 1
      t{x="1"} _ 1

    eval range from 0 to 20s step 10s 1 + 1
      {} 2 2 2

    eval range from 0 to 20s step 10s sort(s)
      expect warn
      s 1 2 3

    # Of equal values the first one is kept.
    eval range from 0 to 50s step 10s topk(1, s or t * 2)
      s _ 2 _ _ _ 6
      {x="1"} 2 _ 6 6 6

    eval range from 0 to 30s step 10s rate(s[20s])
      expect info
      {} _ 0.1 0.1 0.1
    """
}
