import Glibc

extension ScheduleDefinition {
  static let step = ScheduleDefinition(
    name: "step", aliases: ["steplr"], options: [("step_size", nil), ("gamma", 0.1)],
    summary: "Times gamma every step_size epochs.",
    example: "step(step_size => 30, gamma => 0.1)"
  ) { step in
    step.base * pow(step.value(1), (step.epoch / max(1, step.value(0))).rounded(.down))
  }
}
