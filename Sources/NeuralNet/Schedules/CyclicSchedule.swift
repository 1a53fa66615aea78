extension ScheduleDefinition {
  static let cyclic = ScheduleDefinition(
    name: "cyclic", aliases: ["cycliclr"],
    options: [("base_lr", nil), ("max_lr", nil), ("step_size_up", 10), ("step_size_down", 0)],
    summary: "Up and down between base_lr and max_lr in straight lines. Smith 2017.",
    example: "cyclic(base_lr => 0.01, max_lr => 0.1, step_size_up => 4)"
  ) { step in
    let up = max(1, step.value(2))
    let down = step.value(3) > 0 ? step.value(3) : up
    let place = step.epoch.truncatingRemainder(dividingBy: up + down)
    let part = place <= up ? place / up : 1 - (place - up) / down
    return step.value(0) + (step.value(1) - step.value(0)) * part
  }
}
