import Glibc

extension ScheduleDefinition {
  static let multiStep = ScheduleDefinition(
    name: "multi_step", aliases: ["multisteplr"], options: [("milestones", nil), ("gamma", 0.1)],
    summary: "Times gamma at each of the milestones.",
    example: "multi_step(milestones => [30, 80], gamma => 0.1)"
  ) { step in
    let milestones = step.list.isEmpty ? [step.value(0)] : step.list
    let passed = milestones.count { $0 <= step.epoch }
    return step.base * pow(step.value(1), Double(passed))
  }
}
