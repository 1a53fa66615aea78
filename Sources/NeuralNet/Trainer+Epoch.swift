import CVectorMath
import Diagnostics
import Glibc
import Synchronization

extension Trainer {
  /// Trains one epoch; nil when there is nothing left to do.
  ///
  /// Errors: the loss is not a number; `SQLError(.interrupted)` when cancelled, with the weights as
  /// of the last whole step.
  package func nextEpoch() throws -> EpochReport? {
    guard !isFinished, epoch < options.epochs else {
      isFinished = true
      return nil
    }
    epoch += 1
    learningRate =
      options.schedule?.rate(base: options.learningRate, epoch: epoch - 1, losses: monitoredLosses)
      ?? options.learningRate
    let start = monotonicSeconds()
    // Batches of one: the order cannot matter but for dropout, which goes by position.
    let shuffles = options.shuffle && batchRows < training.rows
    if shuffles { shuffleRows() }
    setRandomKeys()
    var lossSum = 0.0
    var correct = 0.0
    var weightSum = 0.0
    var first = 0
    while first < training.rows {
      let count = min(batchRows, training.rows - first)
      let batchWeight = totalWeight(training, first: first, count: count)
      let sums = try pass(
        training, first: first, count: count, scale: scale(batchWeight), trains: true)
      guard sums.loss.isFinite else { throw Self.diverged(epoch: epoch, options: options) }
      applyOptimizer()
      lossSum += sums.loss
      correct += sums.correct
      weightSum += batchWeight
      first += count
    }
    var report = EpochReport(
      epoch: epoch, loss: mean(lossSum, weightSum), validationLoss: nil, metrics: [],
      learningRate: learningRate, rows: training.rows, seconds: 0, best: false,
      stopReason: nil)
    if loss.kind != .regression {
      report.metrics.append(.init(name: "accuracy", value: ratio(correct, weightSum)))
    }
    if let validation { try validate(validation, into: &report) }
    report.seconds = monotonicSeconds() - start
    totalSeconds += report.seconds
    try judge(&report)
    return report
  }

  private func validate(_ set: TrainingSet, into report: inout EpochReport) throws {
    let weight = totalWeight(set, first: 0, count: set.rows)
    let sums = try pass(set, first: 0, count: set.rows, scale: 0, trains: false)
    report.validationLoss = mean(sums.loss, weight)
    if loss.kind != .regression {
      report.metrics.append(.init(name: "val_accuracy", value: ratio(sums.correct, weight)))
    }
  }

  /// Best so far? Enough?
  private func judge(_ report: inout EpochReport) throws {
    let monitored =
      options.monitor == "loss" ? report.loss : report.validationLoss ?? report.loss
    if options.schedule?.readsLosses == true { monitoredLosses.append(monitored) }
    if monitored < bestLoss - options.minDelta || epoch == 1 {
      bestLoss = monitored
      epochsWithoutGain = 0
      report.best = true
      if monitors, options.restoreBest { bestWeights = try weights }
    } else {
      epochsWithoutGain += 1
    }
    if options.earlyStop, epochsWithoutGain > 0, epochsWithoutGain >= options.patience {
      report.stopReason = "early_stop"
    } else if let limit = options.maxSeconds, totalSeconds >= limit {
      report.stopReason = "max_seconds"
    } else if epoch == options.epochs {
      report.stopReason = "epochs"
    }
    if report.stopReason != nil { isFinished = true }
  }

  /// Fisher and Yates, seeded by (seed, epoch); starts from the identity, so an epoch's order does
  /// not depend on the epochs before.
  private func shuffleRows() {
    let count = training.rows
    if order.count != count { order = [UInt32](repeating: 0, count: count) }
    let random = CounterRandom(options.seed, 0x5F1E, UInt64(epoch))
    order.withUnsafeMutableBufferPointer { order in
      for i in 0..<count { order[i] = UInt32(truncatingIfNeeded: i) }
      var i = count - 1
      while i > 0 {
        order.swapAt(i, random.index(UInt64(i), below: i + 1))
        i -= 1
      }
    }
  }

  private func setRandomKeys() {
    for worker in workers {
      for index in plan.nodes.indices {
        worker.executor.randomKeys[index] =
          CounterRandom(options.seed, 0xD409, UInt64(epoch), UInt64(plan.nodes[index].layer)).key
      }
    }
  }

  /// Forward (and backward) over a range of rows, all lanes; the sums in the order of the lanes.
  private func pass(_ set: TrainingSet, first: Int, count: Int, scale: Float, trains: Bool) throws
    -> LaneSums
  {
    let tiles = (count + tileRows - 1) / tileRows
    let lanes = min(laneCount, tiles)
    if isCancelled() { throw Self.interrupted(epoch) }
    let usesOrder = trains && !order.isEmpty
    order.withUnsafeBufferPointer { order in
      let job = Pass(
        set: set, order: usesOrder ? order.baseAddress : nil, first: first, count: count,
        tiles: tiles, lanes: lanes, scale: scale, trains: trains)
      if lanes == 1 || team.count == 1 {
        for lane in 0..<lanes { runLane(lane, job, workers[0]) }
      } else {
        nextLane.store(0, ordering: .relaxed)
        team.run { index in
          while true {
            let lane = nextLane.add(1, ordering: .relaxed).oldValue
            guard lane < lanes else { return }
            runLane(lane, job, workers[index])
          }
        }
      }
    }
    if cancelled.load(ordering: .relaxed) {
      cancelled.store(false, ordering: .relaxed)
      memset(self.lanes.pointer, 0, self.lanes.count * 4)
      throw Self.interrupted(epoch)
    }
    var sums = LaneSums()
    for lane in 0..<lanes {
      sums.loss += laneSums[lane].loss
      sums.correct += laneSums[lane].correct
    }
    return sums
  }

  private struct Pass {
    let set: TrainingSet
    let order: UnsafePointer<UInt32>?
    let first: Int
    let count: Int
    let tiles: Int
    let lanes: Int
    let scale: Float
    let trains: Bool
  }

  private func runLane(_ lane: Int, _ job: Pass, _ worker: TrainerWorker) {
    var sums = LaneSums()
    let gradients = lanes.pointer + lane * parameterStride
    let executor = worker.executor
    var tile = lane
    var done = 0
    while tile < job.tiles {
      let start = job.first + tile * tileRows
      let rows = min(tileRows, job.first + job.count - start)
      worker.load(
        job.set, order: job.order, first: start, count: rows,
        classWeights: options.classWeights,
        wantsValues: loss.kind != .classes, targetWidth: plan.outputWidth)
      executor.forward(
        parameters: parameters.pointer, rows: rows, firstRow: start, isTraining: job.trains)
      sums.correct += countCorrect(worker, rows: rows, set: job.set)
      sums.loss += evaluateLoss(worker, rows: rows, scale: job.scale, set: job.set)
      if job.trains {
        executor.backward(
          parameters: parameters.pointer, gradients: gradients, rows: rows, firstRow: start)
      }
      tile += job.lanes
      done += 1
      // A full batch may take long: look up now and then.
      if done & 63 == 0 {
        if isCancelled() { cancelled.store(true, ordering: .relaxed) }
        if cancelled.load(ordering: .relaxed) { break }
      }
    }
    laneSums[lane] = sums
  }

  private func evaluateLoss(_ worker: TrainerWorker, rows: Int, scale: Float, set: TrainingSet)
    -> Double
  {
    let executor = worker.executor
    return loss.evaluate(
      LossRun(
        predictions: executor.output, targets: worker.targets.pointer,
        classes: classIds(worker, set), weights: worker.weights.pointer,
        gradient: executor.outputGradient, scale: scale, parameter: lossParameter,
        smoothing: Float(options.labelSmoothing),
        positiveWeights: positiveWeights.map { UnsafePointer($0.pointer) }, width: plan.outputWidth,
        rows: roundedUpTo16(rows), stride: executor.stride))
  }

  private func classIds(_ worker: TrainerWorker, _ set: TrainingSet) -> UnsafePointer<Int32>? {
    guard loss.kind == .classes, case .classes = set.target else { return nil }
    return UnsafePointer(worker.classIds)
  }

  private func countCorrect(_ worker: TrainerWorker, rows: Int, set: TrainingSet) -> Double {
    let executor = worker.executor
    let padded = roundedUpTo16(rows)
    switch loss.kind {
    case .regression: return 0
    case .binary:
      return apus_count_correct_binary(
        executor.output, worker.targets.pointer, worker.weights.pointer, 0, plan.outputWidth,
        padded, executor.stride)
    case .classes:
      guard let ids = classIds(worker, set) else { return .nan }
      return apus_count_correct_classes(
        executor.output, ids, worker.weights.pointer, plan.outputWidth, padded, executor.stride)
    }
  }

  /// One step over the flat vectors; every weight on its own, so cutting it up changes nothing.
  private func applyOptimizer() {
    stepNumber += 1
    updateBuffers()
    let count = roundedUpTo16(network.trainedCount)
    guard count > 0 else { return }
    var gradient = apus_gradient(
      lanes: lanes.pointer, lane_stride: parameterStride, lane_count: laneCount)
    if options.clipNorm > 0 {
      let norm = apus_reduce_lanes(gradient, count).squareRoot()
      gradient.lane_count = 1
      // torch.nn.utils.clip_grad_norm_.
      let factor = options.clipNorm / (norm + 1e-6)
      if factor < 1 { apus_scale(lanes.pointer, count, Float(factor)) }
    }
    if options.clipValue > 0 {
      if options.clipNorm <= 0 { _ = apus_reduce_lanes(gradient, count) }
      gradient.lane_count = 1
      apus_clamp(lanes.pointer, count, Float(options.clipValue))
    }
    let parts = team.count > 1 && count * laneCount > 200_000 ? team.count : 1
    let part = roundedUpTo16((count + parts - 1) / parts)
    if parts == 1 {
      step(from: 0, to: count, gradient)
    } else {
      team.run { index in
        step(from: min(count, index * part), to: min(count, (index + 1) * part), gradient)
      }
    }
  }

  /// Running statistics change by what the layers' backward passes ask for, and by no optimizer.
  private func updateBuffers() {
    let first = roundedUpTo16(network.trainedCount)
    guard first < network.parameterCount else { return }
    for lane in 0..<laneCount {
      let changes = lanes.pointer + lane * parameterStride
      for i in first..<network.parameterCount {
        parameters.pointer[i] += changes[i]
        changes[i] = 0
      }
    }
  }

  private func step(from start: Int, to end: Int, _ gradient: apus_gradient) {
    guard end > start else { return }
    var gradient = gradient
    gradient.lanes += start
    optimizer.step(
      OptimizerStep(
        weights: parameters.pointer + start, gradient: gradient,
        state: optimizerState.map { $0.pointer + start }, count: end - start,
        learningRate: learningRate, number: stepNumber, values: optimizerValues))
  }

  /// The sum of the row weights of a batch.
  private func totalWeight(_ set: TrainingSet, first: Int, count: Int) -> Double {
    guard set.isWeighted || !options.classWeights.isEmpty else { return Double(count) }
    var sum = 0.0
    for i in first..<first + count {
      let row = order.isEmpty || set !== training ? i : Int(order[i])
      let weight = set.isWeighted ? set.weights.pointer[row] : 1
      sum += Double(options.classWeights.isEmpty ? weight : weight * classWeight(set, row))
    }
    return sum
  }

  private func classWeight(_ set: TrainingSet, _ row: Int) -> Float {
    options.classWeights[Int(set.classes[row])]
  }

  /// Outputs that a row's loss is averaged over.
  private var averagedWidth: Double {
    loss.isPerRow ? 1 : Double(plan.outputWidth)
  }

  private func scale(_ weight: Double) -> Float {
    options.sumsLoss ? 1 : weight > 0 ? Float(1 / (weight * averagedWidth)) : 0
  }

  private func mean(_ sum: Double, _ weight: Double) -> Double {
    options.sumsLoss ? sum : weight > 0 ? sum / (weight * averagedWidth) : 0
  }

  private func ratio(_ sum: Double, _ weight: Double) -> Double {
    weight > 0 ? sum / weight : 0
  }

  private static func diverged(epoch: Int, options: TrainerOptions) -> SQLError {
    SQLError(
      .model, "the loss is not a finite number in epoch \(epoch)",
      hint: "a smaller learning_rate than \(options.learningRate), standardize(…) on the inputs, "
        + "or clip_norm")
  }

  private static func interrupted(_ epoch: Int) -> SQLError {
    SQLError(.interrupted, "training was cancelled in epoch \(epoch)")
  }
}

func monotonicSeconds() -> Double {
  var time = timespec()
  clock_gettime(CLOCK_MONOTONIC, &time)
  return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
}
