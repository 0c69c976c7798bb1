import Testing

/// Files of rule tests, passing and failing, in what promtool 2.42 understands.
struct RuleTestSample: Sendable, CustomTestStringConvertible {
  var name: String
  var tests: String
  var rules: String = RuleTestSample.rules
  /// Whether promtool's words for the difference are ours, too.
  var comparesText = true

  var testDescription: String { name }

  static let rules = """
    groups:
      - name: recording
        interval: 5s
        rules:
          - record: job:up:sum
            expr: sum by (job) (up)
          - record: job:up:double
            expr: job:up:sum * 2
            labels: {kind: double}
      - name: alerting
        rules:
          - alert: InstanceDown
            expr: up == 0
            for: 5m
            labels: {severity: page}
            annotations:
              summary: "{{ $labels.instance }} of {{ $labels.job }} is down: {{ $value }}"
              others: '{{ with query "count(up)" }}{{ . | first | value }}{{ end }}'
          - alert: AtOnce
            expr: up == 0
            keep_firing_for: 3m
          - alert: FromRecorded
            expr: job:up:double{kind="double"} < 3
            for: 1m
    """

  private static let series = """
        input_series:
          - series: 'up{job="p", instance="a:1"}'
            values: '1 1 0 0 0 0 0 0 0 0 0 0 1 1 1'
          - series: 'up{job="p", instance="b:1"}'
            values: '1+0x6 stale _x4 1 1'
    """

  private static func file(_ body: String) -> String {
    """
    rule_files: [rules.yml]
    evaluation_interval: 1m
    tests:
      - interval: 1m
    \(series)
    \(body)
    """
  }

  static let all: [RuleTestSample] = [
    RuleTestSample(
      name: "alerts as expected",
      tests: file(
        """
            alert_rule_test:
              - eval_time: 6m
                alertname: InstanceDown
                exp_alerts: []
              - eval_time: 7m30s
                alertname: InstanceDown
                exp_alerts:
                  - exp_labels: {severity: page, instance: "a:1", job: p}
                    exp_annotations:
                      summary: "a:1 of p is down: 0"
                      others: "1"
              - eval_time: 13m
                alertname: AtOnce
                exp_alerts:
                  - exp_labels: {instance: "a:1", job: p}
              - eval_time: 16m
                alertname: AtOnce
                exp_alerts: []
        """)),
    RuleTestSample(
      name: "an alert that is missing and one that is not expected",
      tests: file(
        """
            name: my test
            alert_rule_test:
              - eval_time: 7m
                alertname: InstanceDown
                exp_alerts:
                  - exp_labels: {severity: page, instance: "b:1", job: p}
                    exp_annotations: {summary: none}
              - eval_time: 1m
                alertname: AtOnce
                exp_alerts:
                  - exp_labels: {instance: "b:1"}
              - eval_time: 2m
                alertname: AtOnce
        """)),
    RuleTestSample(
      name: "an alert of a name that no rule has",
      tests: file(
        """
            alert_rule_test:
              - eval_time: 7m
                alertname: Nobody
                exp_alerts:
                  - exp_labels: {a: b}
        """)),
    RuleTestSample(
      name: "expressions as expected",
      tests: file(
        """
            promql_expr_test:
              - expr: job:up:sum
                eval_time: 4m
                exp_samples:
                  - labels: 'job:up:sum{job="p"}'
                    value: 1
              - expr: 'job:up:double * 1.5'
                eval_time: 1m
                exp_samples:
                  - labels: '{job="p", kind="double"}'
                    value: 6
              - expr: '1 + 2'
                eval_time: 0
                exp_samples: [{labels: '{}', value: 3}]
              - expr: 'ALERTS{alertname="AtOnce"}'
                eval_time: 3m
                exp_samples:
                  - labels: >-
                      ALERTS{alertname="AtOnce", alertstate="firing", instance="a:1", job="p"}
                    value: 1
              - expr: 'ALERTS{alertname="InstanceDown"}'
                eval_time: 4m
                exp_samples:
                  - labels: >-
                      ALERTS{alertname="InstanceDown", alertstate="pending", instance="a:1",
                      job="p", severity="page"}
                    value: 1
              - expr: 'ALERTS_FOR_STATE{alertname="InstanceDown"}'
                eval_time: 9m
                exp_samples:
                  - labels: >-
                      ALERTS_FOR_STATE{alertname="InstanceDown", instance="a:1", job="p",
                      severity="page"}
                    value: 120
        """)),
    RuleTestSample(
      name: "expressions that differ",
      tests: file(
        """
            promql_expr_test:
              - expr: job:up:sum
                eval_time: 4m
                exp_samples:
                  - labels: 'job:up:sum{job="p"}'
                    value: 1.25
              - expr: up
                eval_time: 2m
                exp_samples: []
              - expr: nothing
                eval_time: 2m
                exp_samples: [{labels: '{a="b"}', value: 1e9}]
              - expr: '0.1 + 0.2'
                eval_time: 1s
                exp_samples: [{labels: '', value: 0.3}]
        """)),
    RuleTestSample(
      name: "an expression that is none",
      tests: file(
        """
            promql_expr_test:
              - expr: 'sum('
                eval_time: 4m
              - expr: 'up[5m]'
                eval_time: 4m
        """), comparesText: false),
    RuleTestSample(
      name: "labels that are none",
      tests: file(
        """
            promql_expr_test:
              - expr: up
                eval_time: 4m
                exp_samples: [{labels: 'up{', value: 1}]
        """), comparesText: false),
    RuleTestSample(
      name: "values that are none",
      tests: """
        rule_files: [rules.yml]
        tests:
          - interval: 1m
            input_series: [{series: up, values: '1 2 x'}]
            promql_expr_test: [{expr: up, eval_time: 1m}]
        """, comparesText: false),
    RuleTestSample(
      name: "a key that there is not",
      tests: """
        rule_files: [rules.yml]
        tests:
          - interval: 1m
            input: []
        """, comparesText: false),
    RuleTestSample(
      name: "a group named twice in the order",
      tests: """
        rule_files: [rules.yml]
        group_eval_order: [recording, alerting, recording]
        tests:
          - interval: 1m
        """, comparesText: false),
    RuleTestSample(
      name: "no tests", tests: "rule_files: [rules.yml]\n"),
    RuleTestSample(
      name: "no file matches", tests: "rule_files: ['nothing*.yml']\ntests: []\n",
      comparesText: false),
    RuleTestSample(
      name: "an item without an alert's name",
      tests: file("    alert_rule_test: [{eval_time: 5m, exp_alerts: []}]\n")),
    RuleTestSample(
      name: "results with the same labels",
      tests: file("    promql_expr_test: [{expr: same, eval_time: 3m}]\n"),
      rules: """
        groups:
          - name: g
            rules: [{record: same, expr: up, labels: {instance: all}}]
        """),
    RuleTestSample(
      name: "alerts with the same labels",
      tests: file("    promql_expr_test: [{expr: ALERTS, eval_time: 3m}]\n"),
      rules: """
        groups:
          - name: g
            rules: [{alert: Same, expr: up, labels: {instance: all}}]
        """),
    RuleTestSample(
      name: "more than the limit",
      tests: file("    promql_expr_test: [{expr: ALERTS, eval_time: 3m}]\n"),
      rules: """
        groups:
          - name: g
            limit: 1
            rules: [{alert: Many, expr: up}]
        """),
    RuleTestSample(
      name: "an order of groups, loops of values and external labels",
      tests: """
        rule_files: [rules.yml]
        group_eval_order: [second, first]
        evaluation_interval: 30s
        tests:
          - interval: 30s
            external_labels: {region: eu}
            external_url: http://prometheus.example
            input_series:
              - {series: 'x{i="1"}', values: '0+10x10'}
              - {series: 'x{i="2"}', values: '100-10x4 _x3 5x2'}
              - {series: 'y', values: '1e3 NaN -Inf .5 stale'}
            promql_expr_test:
              - {expr: r, eval_time: 5m, exp_samples: [{labels: 'r{}', value: 1}]}
              - {expr: 'rate(x{i="1"}[2m])', eval_time: 5m,
                 exp_samples: [{labels: '{i="1"}', value: 0.3333333333333333}]}
              - {expr: 'y < 0', eval_time: 1m, exp_samples: [{labels: y, value: -.inf}]}
            alert_rule_test:
              - eval_time: 5m
                alertname: A
                exp_alerts:
                  - exp_labels: {i: "2", region: eu}
                    exp_annotations: {url: http://prometheus.example, value: "5"}
        """,
      rules: """
        groups:
          - name: first
            rules:
              - {record: r, expr: q}
              - alert: A
                expr: x < 10
                labels: {region: '{{ $externalLabels.region }}'}
                annotations: {url: '{{ $externalURL }}', value: '{{ $value }}'}
          - name: second
            rules: [{record: q, expr: 'vector(1)'}]
        """),
  ]
}
