extension ScheduleDefinition {
  static let constant = ScheduleDefinition(
    name: "constant", aliases: ["constantlr"], options: [("factor", 1), ("total_iters", 0)],
    summary: "The rate itself; times factor in the first total_iters epochs.",
    example: "constant(factor => 0.25, total_iters => 3)"
  ) { step in
    step.epoch < step.value(1) ? step.base * step.value(0) : step.base
  }
}
