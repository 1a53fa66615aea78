import Glibc

extension ScheduleDefinition {
  static let cosineRestarts = ScheduleDefinition(
    name: "cosine_restarts", aliases: ["cosineannealingwarmrestarts"],
    options: [("t_0", 10), ("t_mult", 1), ("eta_min", 0)],
    summary: "The cosine again from its top after t_0 epochs, each round t_mult times longer.",
    example: "cosine_restarts(t_0 => 10, t_mult => 2)"
  ) { step in
    var period = max(1, step.value(0))
    var epoch = step.epoch
    while epoch >= period {
      epoch -= period
      period *= max(1, step.value(1))
    }
    let low = step.value(2)
    return low + (step.base - low) * (1 + cos(.pi * epoch / period)) / 2
  }
}
