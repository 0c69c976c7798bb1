// swift-format-ignore-file
// Recorded from Prometheus 2.42 (`promtool test rules`): each template as an annotation of an alert
// on `m{instance="web-1:9100", job="n"} 97.12345`, with the series `two{k="b"} 21` and
// `two{k="a"} 11`, external label `region="eu"` and external URL http://h:9090/p/x.
// Of failures the part after the place is kept.
import Testing

struct ExpansionCase: Sendable, CustomTestStringConvertible {
  let template: String
  let expected: String
  var testDescription: String { template }

  init(_ template: String, _ expected: String) {
    self.template = template
    self.expected = expected
  }
}

let expansionCases: [ExpansionCase] = [
  ExpansionCase(
    #"{{ $value }}"#,
    #"97.12345"#),
  ExpansionCase(
    #"{{ .Value }}"#,
    #"97.12345"#),
  ExpansionCase(
    #"{{ $labels.instance }} {{ .Labels.job }}"#,
    #"web-1:9100 n"#),
  ExpansionCase(
    #"[{{ $labels.absent }}]"#,
    #"[]"#),
  ExpansionCase(
    #"{{ $externalLabels.region }}|{{ .ExternalLabels.absent }}"#,
    #"eu|"#),
  ExpansionCase(
    #"{{ $labels }}"#,
    #"map[__name__:m instance:web-1:9100 job:n]"#),
  ExpansionCase(
    #"{{ $value | printf "%.1f" }} %"#,
    #"97.1 %"#),
  ExpansionCase(
    #"{{ printf "%.2f" $value }}"#,
    #"97.12"#),
  ExpansionCase(
    #"{{ printf "%d" $value }}"#,
    #"%!d(float64=97.12345)"#),
  ExpansionCase(
    #"{{ printf "%s" $value }}"#,
    #"%!s(float64=97.12345)"#),
  ExpansionCase(
    #"{{ printf "%v %e %g %G %E" $value $value $value $value $value }}"#,
    #"97.12345 9.712345e+01 97.12345 97.12345 9.712345E+01"#),
  ExpansionCase(
    #"{{ printf "%5.1f|%-8.2f|%08.3f|%+.1f|% .1f" $value $value $value $value $value }}"#,
    #" 97.1|97.12   |0097.123|+97.1| 97.1"#),
  ExpansionCase(
    #"{{ printf "%5d|%-5d|%05d|%+d|% d|%x|%X|%o|%b|%c|%U" 42 42 42 42 42 255 255 8 5 65 9731 }}"#,
    #"   42|42   |00042|+42| 42|ff|FF|10|101|A|U+2603"#),
  ExpansionCase(
    #"{{ printf "%#x %#o %.4d %q" 255 8 7 65 }}"#,
    #"0xff 010 0007 'A'"#),
  ExpansionCase(
    #"{{ printf "%s|%10s|%-10s|%.2s|%q|%x|%X" "abc" "abc" "abc" "abc" "a\"b\n" "hi" "hi" }}"#,
    #"abc|       abc|abc       |ab|"a\"b\n"|6869|6869"#),
  ExpansionCase(
    #"{{ printf "%t %v" true false }}"#,
    #"true false"#),
  ExpansionCase(
    #"{{ printf "%5t|" true }}"#,
    #" true|"#),
  ExpansionCase(
    #"{{ printf "%d%%" 5 }}"#,
    #"5%"#),
  ExpansionCase(
    #"{{ printf "%d" }}"#,
    #"%!d(MISSING)"#),
  ExpansionCase(
    #"{{ printf "%d" 1 2 "x" }}"#,
    #"1%!(EXTRA int=2, string=x)"#),
  ExpansionCase(
    #"{{ printf "%!" 1 }}"#,
    #"%!!(int=1)"#),
  ExpansionCase(
    #"{{ printf "%z" 1 }}"#,
    #"%!z(int=1)"#),
  ExpansionCase(
    #"{{ printf "%" }}"#,
    #"%!(NOVERB)"#),
  ExpansionCase(
    #"{{ printf "%d" "x" }}"#,
    #"%!d(string=x)"#),
  ExpansionCase(
    #"{{ printf "%f" "x" }}"#,
    #"%!f(string=x)"#),
  ExpansionCase(
    #"{{ printf "%t" 1 }}"#,
    #"%!t(int=1)"#),
  ExpansionCase(
    #"{{ printf "%T %T %T %T" 1 1.5 "a" true }}"#,
    #"int float64 string bool"#),
  ExpansionCase(
    #"{{ printf "%*d" 5 42 }}"#,
    #"   42"#),
  ExpansionCase(
    #"{{ printf "%[2]d %[1]d" 1 2 }}"#,
    #"2 1"#),
  ExpansionCase(
    #"{{ printf "%.3g|%.10g|%.0f|%.0f|%.0f" 1234567.0 1234567.0 0.5 1.5 2.5 }}"#,
    #"1.23e+06|1234567|0|2|2"#),
  ExpansionCase(
    #"{{ printf "%g %g %g %g %g" 100000.0 1000000.0 0.0001 0.00001 123456789.0 }}"#,
    #"100000 1e+06 0.0001 1e-05 1.23456789e+08"#),
  ExpansionCase(
    #"{{ printf "%v %v %v" 1e20 1e21 1e22 }}"#,
    #"1e+20 1e+21 1e+22"#),
  ExpansionCase(
    #"{{ 100000.0 }} {{ 1000000.0 }} {{ 21000000.0 }} {{ 0.0001 }} {{ 0.00001 }} {{ 1e100 }}"#,
    #"100000 1e+06 2.1e+07 0.0001 1e-05 1e+100"#),
  ExpansionCase(
    #"{{ 1 }} {{ 0x1F }} {{ 1_000 }} {{ 'a' }} {{ 1.50 }} {{ -5 }} {{ +5 }} {{ 1e3 }} {{ 017 }} {{ .5 }}"#,
    #"1 31 1000 97 1.5 -5 5 1000 15 0.5"#),
  ExpansionCase(
    #"{{ print 1 2 "a" "b" 3 4.5 }}|{{ println 1 "a" }}"#,
    "1 2ab3 4.5|1 a\n"),
  ExpansionCase(
    #"{{ "quoted \"x\" \t\\ \u00e9 \x41 \101" }}"#,
    "quoted \"x\" \t\\ é A A"),
  ExpansionCase(
    #"{{ `raw\n` }}"#,
    #"raw\n"#),
  ExpansionCase(
    #"a {{- " b " -}} c"#,
    #"a b c"#),
  ExpansionCase(
    #"a {{ "b" }} c"#,
    #"a b c"#),
  ExpansionCase(
    #"a{{/* comment */}}b"#,
    #"ab"#),
  ExpansionCase(
    #"a {{- /* comment */ -}} b"#,
    #"ab"#),
  ExpansionCase(
    #"{{ if $value }}yes{{ else }}no{{ end }}"#,
    #"yes"#),
  ExpansionCase(
    #"{{ if gt $value 80.0 }}high{{ else if gt $value 50.0 }}middle{{ else }}low{{ end }}"#,
    #"high"#),
  ExpansionCase(
    #"{{ if eq $labels.job "x" "n" }}one of{{ end }}"#,
    #"one of"#),
  ExpansionCase(
    #"{{ if and true 0 }}a{{ else }}b{{ end }}{{ if or 0 "x" }}c{{ end }}{{ and 1 2 }}{{ or 0 3 }}{{ not 1 }}"#,
    #"bc23false"#),
  ExpansionCase(
    #"{{ eq 1 1 }} {{ ne 1 2 }} {{ lt 1 2 }} {{ le 2 2 }} {{ gt "b" "a" }} {{ ge 1.5 1.5 }}"#,
    #"true true true true true true"#),
  ExpansionCase(
    #"{{ if lt "a" 1 }}x{{ end }}"#,
    #"error: error calling lt: incompatible types for comparison"#),
  ExpansionCase(
    #"{{ with $labels.instance }}[{{ . }}]{{ end }}{{ with $labels.absent }}x{{ else }}none{{ end }}"#,
    #"[web-1:9100]none"#),
  ExpansionCase(
    #"{{ range $k, $v := $labels }}{{ $k }}={{ $v }};{{ end }}"#,
    #"__name__=m;instance=web-1:9100;job=n;"#),
  ExpansionCase(
    #"{{ range query "m" }}{{ .Labels.instance }}:{{ .Value }} {{ end }}"#,
    #"web-1:9100:97.12345 "#),
  ExpansionCase(
    #"{{ range query "nothing" }}x{{ else }}empty{{ end }}"#,
    #"empty"#),
  ExpansionCase(
    #"{{ query "m" | first | value }}"#,
    #"97.12345"#),
  ExpansionCase(
    #"{{ query "m" | first | label "job" }}"#,
    #"n"#),
  ExpansionCase(
    #"{{ query "nothing" | first | value }}"#,
    #"error: error calling first: first() called on vector with no elements"#),
  ExpansionCase(
    #"{{ range query "two" | sortByLabel "k" }}{{ .Labels.k }}{{ .Value }} {{ end }}"#,
    #"a11 b21 "#),
  ExpansionCase(
    #"{{ range $i, $e := query "two" }}{{ $i }}{{ $e.Value }} {{ end }}"#,
    #"011 121 "#),
  ExpansionCase(
    #"{{ len (query "two") }} {{ len "abc" }} {{ len $labels }} {{ index $labels "job" }} {{ (index (query "two") 1).Value }}"#,
    #"2 3 3 n 21"#),
  ExpansionCase(
    #"{{ index (query "two") 7 }}"#,
    #"error: error calling index: index out of range: 7"#),
  ExpansionCase(
    #"{{ $x := 5 }}{{ $x }}{{ $x = 6 }}{{ $x }}"#,
    #"56"#),
  ExpansionCase(
    #"{{ $x := $labels.job }}{{ if true }}{{ $x = "inner" }}{{ end }}{{ $x }}"#,
    #"inner"#),
  ExpansionCase(
    #"{{ $x := 1 }}{{ if true }}{{ $x := 2 }}{{ $x }}{{ end }}{{ $x }}"#,
    #"21"#),
  ExpansionCase(
    #"{{ humanize 1234567.0 }} {{ humanize 0.12 }} {{ humanize 0.0 }} {{ humanize -1500.0 }} {{ humanize 999.9999 }} {{ humanize 1e30 }} {{ humanize 1e-30 }} {{ humanize 1 }}"#,
    #"1.235M 120m 0 -1.5k 1000 1e+06Y 1e-06y 1"#),
  ExpansionCase(
    #"{{ humanize "1234567" }} {{ "0.12" | humanize }}"#,
    #"1.235M 120m"#),
  ExpansionCase(
    #"{{ humanize "one" }}"#,
    #"error: error calling humanize: strconv.ParseFloat: parsing "one": invalid syntax"#),
  ExpansionCase(
    #"{{ humanize true }}"#,
    #"error: error calling humanize: can't convert bool to float"#),
  ExpansionCase(
    #"{{ humanize1024 1048576.0 }} {{ humanize1024 0.12 }} {{ humanize1024 1023.9 }} {{ humanize1024 1e20 }} {{ humanize1024 -2048.0 }}"#,
    #"1Mi 0.12 1024 86.74Ei -2ki"#),
  ExpansionCase(
    #"{{ humanizeDuration 0.0 }} {{ humanizeDuration 1.0 }} {{ humanizeDuration 60.5 }} {{ humanizeDuration 3661.0 }} {{ humanizeDuration 90061.0 }} {{ humanizeDuration -183845.0 }} {{ humanizeDuration 0.12345 }} {{ humanizeDuration 1.2345 }} {{ humanizeDuration 12.345 }} {{ humanizeDuration 899.99 }}"#,
    #"0s 1s 1m 0s 1h 1m 1s 1d 1h 1m 1s -2d 3h 4m 5s 123.5ms 1.234s 12.35s 14m 59s"#),
  ExpansionCase(
    #"{{ humanizePercentage 0.1234567 }} {{ humanizePercentage 1.23456 }} {{ humanizePercentage -0.22222 }} {{ humanizePercentage 0.0 }} {{ humanizePercentage 1234567.0 }}"#,
    #"12.35% 123.5% -22.22% 0% 1.235e+08%"#),
  ExpansionCase(
    #"{{ humanizeTimestamp 1435065584.128 }} {{ humanizeTimestamp 0.0 }} {{ humanizeTimestamp -1.0 }} {{ humanizeTimestamp 1234567.5 }} {{ humanizeTimestamp 9223372036.0 }}"#,
    #"2015-06-23 13:19:44.128 +0000 UTC 1970-01-01 00:00:00 +0000 UTC 1969-12-31 23:59:59 +0000 UTC 1970-01-15 06:56:07.5 +0000 UTC 2262-04-11 23:47:16 +0000 UTC"#),
  ExpansionCase(
    #"{{ humanizeTimestamp 1e19 }}"#,
    #"error: error calling humanizeTimestamp: 1e+19 cannot be represented as a nanoseconds timestamp since it overflows int64"#),
  ExpansionCase(
    #"{{ (toTime 1435065584.128).Format "2006-01-02 15:04:05 MST" }} {{ (1435065584.128 | toTime).Unix }} {{ (toTime 0.0).Format "Mon Jan _2 3:04PM 06" }}"#,
    #"2015-06-23 13:19:44 UTC 1435065584 Thu Jan  1 12:00AM 70"#),
  ExpansionCase(
    #"{{ toTime 1435065584.5 }}"#,
    #"2015-06-23 13:19:44.5 +0000 UTC"#),
  ExpansionCase(
    #"{{ toUpper "aBc" }} {{ toLower "aBc" }}"#,
    #"ABC abc"#),
  ExpansionCase(
    #"{{ match "a+" "baac" }} {{ match "^a+$" "b" }}"#,
    #"true false"#),
  ExpansionCase(
    #"{{ stripPort "foo.example.com:12345" }} {{ stripPort "foo" }} {{ stripPort "[2001:0DB8::1]:12345" }} {{ stripPort "2001:0DB8::1" }} {{ stripPort "[2001:0DB8::1]::12345" }} {{ stripPort "a:b:c" }}"#,
    #"foo.example.com foo 2001:0DB8::1 2001:0DB8::1 [2001:0DB8::1]::12345 a:b:c"#),
  ExpansionCase(
    #"{{ stripDomain "foo.example.com" }} {{ stripDomain "foo.example.com:12345" }} {{ stripDomain "192.0.2.1" }} {{ stripDomain "192.0.2.1:12345" }} {{ stripDomain "2001:0DB8::1" }} {{ stripDomain "[2001:0DB8::1]:12345" }} {{ stripDomain "[2001:0DB8::1]::12345" }} {{ stripDomain "192.0.2.300" }}"#,
    #"foo foo:12345 192.0.2.1 192.0.2.1:12345 2001:0DB8::1 [2001:0DB8::1]:12345 [2001:0DB8::1]::12345 192"#),
  ExpansionCase(
    #"{{ graphLink "up{a=\"b\"} > 1 + 2" }} {{ tableLink "up" }}"#,
    #"/graph?g0.expr=up%7Ba%3D%22b%22%7D+%3E+1+%2B+2&g0.tab=0 /graph?g0.expr=up&g0.tab=1"#),
  ExpansionCase(
    #"{{ safeHtml "<b>" }} {{ html "<a href='x'>&\"" }} {{ urlquery "a b&c=d/é" }} {{ js "it's <\"x\">=" }}"#,
    #"<b> &lt;a href=&#39;x&#39;&gt;&amp;&#34; a+b%26c%3Dd%2F%C3%A9 it\'s \u003C\"x\"\u003E\u003D"#),
  ExpansionCase(
    #"{{ parseDuration "1h2m10ms" }} {{ parseDuration "1d" }} {{ parseDuration "0" }}"#,
    #"3720.01 86400 0"#),
  ExpansionCase(
    #"{{ parseDuration "x" }}"#,
    #"error: error calling parseDuration: not a valid duration string: "x""#),
  ExpansionCase(
    #"{{ parseDuration "1s1h" }}"#,
    #"error: error calling parseDuration: not a valid duration string: "1s1h""#),
  ExpansionCase(
    #"{{ args 1 "2" }}"#,
    #"map[arg0:1 arg1:2]"#),
  ExpansionCase(
    #"{{ define "x" }}{{ .arg0 }} {{ .arg1 }}{{ end }}{{ template "x" (args 1 "2") }}"#,
    #"1 2"#),
  ExpansionCase(
    #"{{ define "r" }}{{ template "r" . }}{{ end }}{{ template "r" . }}"#,
    #"error: exceeded maximum template depth"#),
  ExpansionCase(
    #"{{ template "nope" . }}"#,
    #"error: template "nope" not defined"#),
  ExpansionCase(
    #"{{ (query "m").banana }}"#,
    #"error: can't evaluate field banana in type template.queryResult"#),
  ExpansionCase(
    #"{{ $labels.job.more }}"#,
    #"error: can't evaluate field more in type string"#),
  ExpansionCase(
    #"{{ $value.x }}"#,
    #"error: can't evaluate field x in type float64"#),
  ExpansionCase(
    #"{{ $labels.job | toUpper | printf "%s!" }}"#,
    #"N!"#),
  ExpansionCase(
    #"{{ printf "%s-%s" $labels.job ($labels.instance | reReplaceAll ":.*" "") }}"#,
    #"n-web-1"#),
  ExpansionCase(
    #"{{ slice "abcdef" 1 3 }} {{ slice "abc" 1 }}"#,
    #"bc bc"#),
  ExpansionCase(
    #"{{ slice "abc" 2 1 }}"#,
    #"error: error calling slice: invalid slice index: 2 > 1"#),
  ExpansionCase(
    #"{{ toUpper "a" "b" }}"#,
    #"error: wrong number of args for toUpper: want 1 got 2"#),
  ExpansionCase(
    #"{{ 1 | len }}"#,
    #"error: error calling len: len of type int"#),
  ExpansionCase(
    #"{{ range "abc" }}x{{ end }}"#,
    #"error: range can't iterate over abc"#),
  ExpansionCase(
    #"{{ range $labels }}{{ . }} {{ end }}"#,
    #"m web-1:9100 n "#),
  ExpansionCase(
    #"{{ range query "two" }}{{ if eq .Labels.k "a" }}{{ continue }}{{ end }}{{ .Labels.k }}{{ break }}{{ end }}"#,
    #"b"#),
  ExpansionCase(
    #"{{ nil }}"#,
    #"error: nil is not a command"#),
  ExpansionCase(
    #"{{ print nil }}"#,
    #"<nil>"#),
  ExpansionCase(
    #"{{ $.Labels.job }}"#,
    #"n"#),
  ExpansionCase(
    #"{{ with $x := $labels.job }}{{ $x }}{{ end }}"#,
    #"n"#),
  ExpansionCase(
    #"{{ if not (eq $labels.job "z") }}ok{{ end }}"#,
    #"ok"#),
  ExpansionCase(
    #"{{ "a" | printf "%s %s" "b" }}"#,
    #"b a"#),
  ExpansionCase(
    #"{{ (printf "%s" "x") | toUpper }}"#,
    #"X"#),
  ExpansionCase(
    "{{\n  $value\n  | printf \"%.1f\"\n}}",
    #"97.1"#),
  ExpansionCase(
    #"{{ eq $value 97.12345 }}"#,
    #"true"#),
  ExpansionCase(
    #"{{ printf "%6.2f%%" $value }}"#,
    #" 97.12%"#),
  ExpansionCase(
    #"{{ $externalURL }}"#,
    #"http://h:9090/p/x"#),
  ExpansionCase(
    #"{{ printf "%v" $labels.job }}"#,
    #"n"#),
  ExpansionCase(
    #"{{ printf "%s" $labels }}"#,
    #"map[__name__:m instance:web-1:9100 job:n]"#),
  ExpansionCase(
    #"{{ first (query "m") }}"#,
    #"{map[__name__:m instance:web-1:9100 job:n] 97.12345}"#),
  ExpansionCase(
    #"{{ .Labels.job -}}   x"#,
    #"nx"#),
  ExpansionCase(
    #"{{ 9223372036854775807 }} {{ -9223372036854775808 }}"#,
    #"9223372036854775807 -9223372036854775808"#),
  ExpansionCase(
    #"{{ 0.1 }} {{ 1e-7 }} {{ 123456.789 }} {{ 5e-324 }} {{ 1.7976931348623157e308 }}"#,
    #"0.1 1e-07 123456.789 5e-324 1.7976931348623157e+308"#),
  ExpansionCase(
    #"{{ printf "%.20f" 0.1 }} {{ printf "%.0e" 15.0 }} {{ printf "%.3e" 0.0 }} {{ printf "%g" 0.0 }} {{ printf "%#g" 1.0 }}"#,
    #"0.10000000000000000555 2e+01 0.000e+00 0 1.00000"#),
  ExpansionCase(
    #"{{ printf "%05s|%-5v|%5v" "ab" 1.5 true }}"#,
    #"000ab|1.5  | true"#),
  ExpansionCase(
    #"{{ printf "%06.2f|%-07.2f|%+07.2f" -1.5 1.5 1.5 }}"#,
    #"-01.50|1.50   |+001.50"#),
]
