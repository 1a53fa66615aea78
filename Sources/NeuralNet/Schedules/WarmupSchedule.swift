extension ScheduleDefinition {
  static let warmup = ScheduleDefinition(
    name: "warmup", aliases: ["linearlr", "linear"],
    options: [("start_factor", 0.3333333333333333), ("end_factor", 1), ("total_iters", 5)],
    summary: "From start_factor to end_factor times the rate in total_iters epochs.",
    example: "warmup(start_factor => 0.1, total_iters => 5)"
  ) { step in
    let part = min(1, step.epoch / max(1, step.value(2)))
    return step.base * (step.value(0) + (step.value(1) - step.value(0)) * part)
  }
}
