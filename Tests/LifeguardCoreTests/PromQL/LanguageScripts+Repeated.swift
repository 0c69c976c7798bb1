extension LanguageScripts {
  /// Parts of an answer that carry the same labels at different steps are one series.
  static let repeated = """
    load 1m
      e_total 0+60x3
      x{a="1"} 1x5
      g{a="1"} 10 10 stale
      y{a="1"} _ _ _ 20 20 20

    # What never had a name is not told apart by whether it would lose one.
    eval range from 2m to 5m step 1m (sum(rate(e_total[2m])) or vector(0)) * 100
      {} 100 100 0 0

    eval instant at 5m count_over_time((sum(rate(e_total[2m])) or vector(0))[4m:1m])
      {} 4

    eval range from 0 to 5m step 1m x + (g or y)
      {a="1"} 11 11 _ 21 21 21

    eval range from 0 to 5m step 1m x < (g or y)
      x{a="1"} 1 1 _ 1 1 1

    eval instant at 5m count_over_time((x + (g or y))[6m:1m])
      {a="1"} 5

    eval range from 0 to 5m step 1m -(g or y)
      {a="1"} -10 -10 _ -20 -20 -20

    # Both at once are no answer.
    eval instant at 5m max_over_time({__name__=~"x|y",a="1"}[5m])
      expect fail msg: vector cannot contain metrics with the same labelset
    """
}
