import Glibc

extension ScheduleDefinition {
  static let exponential = ScheduleDefinition(
    name: "exponential", aliases: ["exponentiallr"], options: [("gamma", 0.95)],
    summary: "Times gamma every epoch.",
    example: "exponential(gamma => 0.95)"
  ) { step in
    step.base * pow(step.value(0), step.epoch)
  }
}
