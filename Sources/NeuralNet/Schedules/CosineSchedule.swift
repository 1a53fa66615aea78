import Glibc

extension ScheduleDefinition {
  static let cosine = ScheduleDefinition(
    name: "cosine", aliases: ["cosineannealinglr"], options: [("t_max", 10), ("eta_min", 0)],
    summary:
      "Half a cosine from the rate down to eta_min in t_max epochs. Loshchilov, Hutter 2017.",
    example: "cosine(t_max => 50, eta_min => 0.0001)"
  ) { step in
    let (period, low) = (max(1, step.value(0)), step.value(1))
    return low + (step.base - low) * (1 + cos(.pi * step.epoch / period)) / 2
  }
}
