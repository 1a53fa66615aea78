import Glibc

extension ScheduleDefinition {
  static let oneCycle = ScheduleDefinition(
    name: "one_cycle", aliases: ["onecyclelr"],
    options: [
      ("max_lr", nil), ("total_steps", nil), ("pct_start", 0.3), ("div_factor", 25),
      ("final_div_factor", 10000), ("linear", 0),
    ],
    summary: "Up to max_lr in pct_start of total_steps, then far down. Smith, Topin 2018.",
    example: "one_cycle(max_lr => 0.1, total_steps => 100)"
  ) { step in
    let top = step.value(0)
    let start = top / max(1, step.value(3))
    let end = start / max(1, step.value(4))
    let peak = step.value(2) * step.value(1) - 1
    let last = step.value(1) - 1
    func between(_ from: Double, _ to: Double, _ part: Double) -> Double {
      let part = min(1, max(0, part))
      if step.value(5) != 0 { return from + (to - from) * part }
      return to + (from - to) * (1 + cos(.pi * part)) / 2
    }
    if step.epoch <= peak { return between(start, top, peak > 0 ? step.epoch / peak : 1) }
    return between(top, end, last > peak ? (step.epoch - peak) / (last - peak) : 1)
  }
}
