import Diagnostics
import NeuralNet
import Testing

/// The rates that torch.optim.lr_scheduler gave.
@Suite struct ScheduleTests {
  @Test(
    arguments: [
      ("StepLR", "step(step_size => 3, gamma => 0.5)"),
      ("MultiStepLR", "multi_step(milestones => [2, 7, 11], gamma => 0.1)"),
      ("ExponentialLR", "exponential(gamma => 0.9)"),
      ("CosineAnnealingLR", "cosine(t_max => 10, eta_min => 0.001)"),
      ("CosineAnnealingWarmRestarts", "cosine_restarts(t_0 => 4, t_mult => 2)"),
      ("LinearLR", "warmup(start_factor => 0.1, total_iters => 5)"),
      ("PolynomialLR", "polynomial(total_iters => 12, power => 2.0)"),
      ("ConstantLR", "constant(factor => 0.25, total_iters => 3)"),
      ("OneCycleLR", "one_cycle(max_lr => 0.5, total_steps => 20)"),
      (
        "OneCycleLR_linear",
        "one_cycle(max_lr = 0.5, total_steps = 20, pct_start = 0.2, linear = 1)"
      ),
      ("CyclicLR", "cyclic(base_lr => 0.01, max_lr => 0.1, step_size_up => 4)"),
      (
        "ReduceLROnPlateau",
        "reduce_on_plateau(factor => 0.5, patience => 2, threshold => 0.001, cooldown => 1)"
      ),
    ])
  func rates(_ file: String, _ text: String) throws {
    guard let fixture = try Fixtures.numbers("optimizers/schedulers.json", file) else { return }
    let schedule = try Schedule(parsing: text)
    let expected = fixture["lr"] ?? []
    #expect(expected.count == 20)
    for (epoch, rate) in expected.enumerated() {
      let actual = schedule.rate(base: 0.1, epoch: epoch, losses: fixture["metric"] ?? [])
      #expect(abs(actual - rate) <= 1e-9 + 1e-9 * rate, "epoch \(epoch): \(actual), not \(rate)")
    }
  }

  @Test(arguments: [
    "stepp", "step", "step(gamma => 2)", "step(step_size => x)", "step(step_size => 1", "cosine(1)",
    "cosine(t_max => nan)", "cosine(tmax => 3)", "cosine(t_max => 3, t_max => 4)", "",
  ])
  func refuses(_ text: String) {
    #expect(throws: SQLError.self) { try Schedule(parsing: text) }
  }

  @Test func trainsByItsRates() throws {
    let net = try Network.sequential(inputWidth: 1, layers: [LayerCall("linear", [.integer(1)])])
    let set = try TrainingSet(width: 1, target: .values(width: 1))
    try set.append(features: [1, 2], targets: [1, 2])
    var options = TrainerOptions()
    try options.set("lr_schedule", to: .text("exponential(gamma => 0.5)"))
    options.learningRate = 0.1
    options.epochs = 3
    let trainer = try Trainer(
      network: net, weights: Weights(network: net), training: set, options: options)
    var rates: [Double] = []
    while let report = try trainer.nextEpoch() { rates.append(report.learningRate) }
    #expect(rates == [0.1, 0.05, 0.025])
  }
}
