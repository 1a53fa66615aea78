extension ScheduleDefinition {
  static let reduceOnPlateau = ScheduleDefinition(
    name: "reduce_on_plateau", aliases: ["reducelronplateau"],
    options: [
      ("factor", 0.1), ("patience", 10), ("threshold", 0.0001), ("cooldown", 0), ("min_lr", 0),
    ],
    summary: "Times factor when the monitored loss has not fallen for more than patience epochs.",
    example: "reduce_on_plateau(factor => 0.5, patience => 3)",
    rate: { step in
      var rate = step.base
      var best = Double.infinity
      var bad = 0.0
      var cooldown = 0.0
      for loss in step.losses.prefix(Int(step.epoch)) {
        if loss < best * (1 - step.value(2)) {
          best = loss
          bad = 0
        } else {
          bad += 1
        }
        if cooldown > 0 {
          cooldown -= 1
          bad = 0
        }
        if bad > step.value(1) {
          let lower = max(rate * step.value(0), step.value(4))
          if rate - lower > 1e-8 { rate = lower }
          cooldown = step.value(3)
          bad = 0
        }
      }
      return rate
    }, readsLosses: true)
}
