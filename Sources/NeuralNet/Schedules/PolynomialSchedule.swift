import Glibc

extension ScheduleDefinition {
  static let polynomial = ScheduleDefinition(
    name: "polynomial", aliases: ["polynomiallr"], options: [("total_iters", 5), ("power", 1)],
    summary: "Down to zero in total_iters epochs, along a power.",
    example: "polynomial(total_iters => 20, power => 2)"
  ) { step in
    step.base * pow(1 - min(1, step.epoch / max(1, step.value(0))), step.value(1))
  }
}
