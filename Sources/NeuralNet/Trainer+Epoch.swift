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
    try training.begin(shuffles ? .shuffled(seed: options.seed, epoch: epoch) : .natural)
    setRandomKeys()
    var sums = PassSums(outputs: outputs.count)
    var told = start
    var first = 0
    while first < training.rows {
      let count = min(batchRows, training.rows - first)
      try step(first: first, count: count)
      guard stepSums.hasFiniteLosses else {
        throw Self.diverged(epoch: epoch, options: options)
      }
      applyOptimizer()
      sums.add(stepSums)
      first += count
      if let onProgress, monotonicSeconds() - told > 0.25 {
        told = monotonicSeconds()
        onProgress(first, totalLoss(sums))
      }
    }
    guard sums.hasWeight else { throw Self.noWeight() }
    var report = EpochReport(
      epoch: epoch, loss: totalLoss(sums), validationLoss: nil, metrics: [],
      learningRate: learningRate, rows: training.rows, seconds: 0, best: false,
      stopReason: nil)
    report.metrics += metrics(sums, prefix: "")
    if let validation { try validate(validation, into: &report) }
    report.seconds = monotonicSeconds() - start
    totalSeconds += report.seconds
    try judge(&report)
    return report
  }

  private func validate(_ source: any TrainingSource, into report: inout EpochReport) throws {
    try source.begin(.natural)
    clearSums()
    var sums = PassSums(outputs: outputs.count)
    var first = 0
    while first < source.rows {
      let piece = try source.next(rows: min(pieceRows(source), source.rows - first))
      for output in outputs { sums[weight: output.index] += totalWeight(output, piece) }
      memory.scales.update(repeating: 0, count: outputs.count)
      try pass(piece, position: first, trains: false)
      first += piece.count
    }
    addLanes(to: &sums)
    report.validationLoss = totalLoss(sums)
    report.metrics += metrics(sums, prefix: "val_")
  }

  /// Losses, hits and row weights of each output, in one array.
  struct PassSums {
    private var values: [Double]

    init(outputs: Int) { values = Array(repeating: 0, count: 3 * outputs) }

    var outputs: Int { values.count / 3 }

    subscript(loss output: Int) -> Double {
      get { values[3 * output] }
      set { values[3 * output] = newValue }
    }

    subscript(correct output: Int) -> Double {
      get { values[3 * output + 1] }
      set { values[3 * output + 1] = newValue }
    }

    subscript(weight output: Int) -> Double {
      get { values[3 * output + 2] }
      set { values[3 * output + 2] = newValue }
    }

    var hasFiniteLosses: Bool { (0..<outputs).allSatisfy { self[loss: $0].isFinite } }
    var hasWeight: Bool { (0..<outputs).contains { self[weight: $0] > 0 } }

    mutating func clear() {
      for index in values.indices { values[index] = 0 }
    }

    mutating func add(_ other: PassSums) {
      for index in values.indices { values[index] += other.values[index] }
    }
  }

  /// The gradients of one batch, in the lanes, and its sums in `stepSums`. A 'full' batch may come in
  /// pieces that are whole tiles for all lanes, so that each tile's gradients go where they went in
  /// one piece.
  private func step(first: Int, count: Int) throws {
    clearSums()
    stepSums.clear()
    let limit = options.batchSize == .full ? pieceRows(training) : count
    if count <= limit {
      let piece = try training.next(rows: count)
      for output in outputs { stepSums[weight: output.index] = totalWeight(output, piece) }
      setScales()
      try pass(piece, position: first, trains: true)
    } else {
      for (output, weight) in try wholeWeights().enumerated() { stepSums[weight: output] = weight }
      setScales()
      var done = 0
      while done < count {
        let piece = try training.next(rows: min(limit, count - done))
        try pass(piece, position: first + done, trains: true)
        done += piece.count
      }
    }
    addLanes(to: &stepSums)
  }

  /// Rows of a piece where a pass may come in several.
  private func pieceRows(_ source: any TrainingSource) -> Int {
    let unit = memory.shape.tileRows * memory.shape.laneCount
    guard source.preferredRows < Int.max - unit, !memory.plan.needsWholeBatch else {
      return Int.max
    }
    return max(unit, source.preferredRows / unit * unit)
  }

  /// The row weights of a 'full' batch that comes in pieces: they take a pass of their own, once.
  private func wholeWeights() throws -> [Double] {
    if let fullWeights { return fullWeights }
    var sums = [Double](repeating: 0, count: outputs.count)
    var first = 0
    while first < training.rows {
      let piece = try training.next(rows: min(pieceRows(training), training.rows - first))
      for (place, output) in outputs.enumerated() { sums[place] += totalWeight(output, piece) }
      first += piece.count
    }
    fullWeights = sums
    try training.begin(.natural)
    return sums
  }

  /// Best so far? Enough?
  private func judge(_ report: inout EpochReport) throws {
    let monitored = monitoredValue(report)
    if options.schedule?.readsLosses == true { monitoredLosses.append(monitored) }
    if monitored < bestLoss - options.minDelta || epoch == 1 {
      bestLoss = monitored
      epochsWithoutGain = 0
      report.best = true
      // Kept in any case: a training that is interrupted ends with them.
      if bestWeights?.overwrite(from: memory.parameters.pointer) != true {
        bestWeights = try Weights(network: network, copying: memory.parameters.pointer)
      }
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

  /// What the option `monitor` names, the less the better: of an accuracy what is missing.
  private func monitoredValue(_ report: EpochReport) -> Double {
    func value(_ name: String) -> Double? {
      switch name {
      case "loss": report.loss
      case "val_loss": report.validationLoss
      default:
        report.metrics.first { $0.name.lowercased() == name }.map {
          name.hasSuffix("accuracy") ? 1 - $0.value : $0.value
        }
      }
    }
    let name = options.monitor
    let fallback = name.hasPrefix("val_") ? String(name.dropFirst(4)) : "loss"
    return value(name) ?? value(fallback) ?? report.loss
  }

  private func setRandomKeys() {
    for worker in memory.workers {
      worker.executor.setRandomKeys { layer in
        CounterRandom(options.seed, 0xD409, UInt64(epoch), UInt64(layer)).key
      }
    }
  }

  private func clearSums() {
    memory.laneSums.update(repeating: 0, count: memory.shape.laneCount * memory.laneSumStride)
  }

  /// In the order of the lanes.
  private func addLanes(to sums: inout PassSums) {
    for lane in 0..<memory.shape.laneCount {
      for output in outputs.indices {
        sums[loss: output] += memory.laneSums[lane * memory.laneSumStride + 2 * output]
        sums[correct: output] += memory.laneSums[lane * memory.laneSumStride + 2 * output + 1]
      }
    }
  }

  /// Forward (and backward) over a piece, all lanes. `position`: its first row in the epoch.
  private func pass(
    _ piece: TrainingPiece, position: Int, trains: Bool
  ) throws {
    let tiles = (piece.count + memory.shape.tileRows - 1) / memory.shape.tileRows
    let lanes = min(memory.shape.laneCount, tiles)
    if isCancelled() { throw Self.interrupted(epoch) }
    let job = Pass(
      piece: piece, position: position, tiles: tiles, lanes: lanes, trains: trains)
    if lanes == 1 || memory.team.count == 1 {
      for lane in 0..<lanes { runLane(lane, job, memory.workers[0]) }
    } else {
      nextLane.store(0, ordering: .relaxed)
      memory.team.run { index in
        while true {
          let lane = nextLane.add(1, ordering: .relaxed).oldValue
          guard lane < lanes else { return }
          runLane(lane, job, memory.workers[index])
        }
      }
    }
    if cancelled.load(ordering: .relaxed) {
      cancelled.store(false, ordering: .relaxed)
      memset(memory.lanes.pointer, 0, memory.lanes.count * 4)
      throw Self.interrupted(epoch)
    }
  }

  private struct Pass {
    let piece: TrainingPiece
    let position: Int
    let tiles: Int
    let lanes: Int
    let trains: Bool
  }

  private func runLane(_ lane: Int, _ job: Pass, _ worker: TrainerWorker) {
    let sums = memory.laneSums + lane * memory.laneSumStride
    let gradients = memory.lanes.pointer + lane * memory.parameterStride
    let executor = worker.executor
    var tile = lane
    var done = 0
    while tile < job.tiles {
      let start = tile * memory.shape.tileRows
      let rows = min(memory.shape.tileRows, job.piece.count - start)
      worker.load(job.piece, first: start, count: rows)
      executor.forward(
        parameters: memory.parameters.pointer, rows: rows, firstRow: job.position + start,
        isTraining: job.trains)
      for index in outputs.indices {
        sums[2 * index + 1] += countCorrect(outputs[index], worker, rows: rows)
        sums[2 * index] += evaluateLoss(
          outputs[index], worker, rows: rows, scale: memory.scales[index])
      }
      if job.trains {
        executor.backward(
          parameters: memory.parameters.pointer, gradients: gradients, rows: rows,
          firstRow: job.position + start)
      }
      tile += job.lanes
      done += 1
      // A full batch may take long: look up now and then.
      if done & 63 == 0 {
        if isCancelled() { cancelled.store(true, ordering: .relaxed) }
        if cancelled.load(ordering: .relaxed) { break }
      }
    }
  }

  private func evaluateLoss(
    _ output: TrainedOutput, _ worker: TrainerWorker, rows: Int, scale: Float
  ) -> Double {
    let executor = worker.executor
    return output.loss.evaluate(
      LossRun(
        predictions: executor.output(output.index), targets: worker.targets(output.index),
        classes: output.takesClasses ? UnsafePointer(worker.classIds(output.index)) : nil,
        weights: worker.weights(output.index),
        gradient: executor.outputGradient(output.index), scale: scale,
        parameter: output.parameter, smoothing: output.smoothing,
        positiveWeights: output.positiveWeights.map { UnsafePointer($0.pointer) },
        width: output.width, rows: roundedUpTo16(rows), stride: executor.stride))
  }

  private func countCorrect(_ output: TrainedOutput, _ worker: TrainerWorker, rows: Int) -> Double {
    let executor = worker.executor
    let padded = roundedUpTo16(rows)
    switch output.loss.kind {
    case .regression: return 0
    case .binary:
      return apus_count_correct_binary(
        executor.output(output.index), worker.targets(output.index), worker.weights(output.index),
        output.loss.threshold, output.width, padded, executor.stride)
    case .classes:
      guard output.takesClasses else { return .nan }
      return apus_count_correct_classes(
        executor.output(output.index), worker.classIds(output.index), worker.weights(output.index),
        output.width, padded, executor.stride)
    }
  }

  /// One step over the flat vectors; every weight on its own, so cutting it up changes nothing.
  private func applyOptimizer() {
    stepNumber += 1
    updateBuffers()
    let count = roundedUpTo16(network.trainedCount)
    guard count > 0 else { return }
    var gradient = apus_gradient(
      lanes: memory.lanes.pointer, lane_stride: memory.parameterStride,
      lane_count: memory.shape.laneCount)
    addPenalties()
    if options.clipNorm > 0 {
      let norm = apus_reduce_lanes(gradient, count).squareRoot()
      gradient.lane_count = 1
      // torch.nn.utils.clip_grad_norm_.
      let factor = options.clipNorm / (norm + 1e-6)
      if factor < 1 { apus_scale(memory.lanes.pointer, count, Float(factor)) }
    }
    if options.clipValue > 0 {
      if options.clipNorm <= 0 { _ = apus_reduce_lanes(gradient, count) }
      gradient.lane_count = 1
      apus_clamp(memory.lanes.pointer, count, Float(options.clipValue))
    }
    let parts =
      memory.team.count > 1 && count * memory.shape.laneCount > 200_000 ? memory.team.count : 1
    let part = roundedUpTo16((count + parts - 1) / parts)
    if parts == 1 {
      step(from: 0, to: count, gradient)
    } else {
      memory.team.run { index in
        step(from: min(count, index * part), to: min(count, (index + 1) * part), gradient)
      }
    }
  }

  /// The slopes of what `l1_reg` and `l2_reg` add to the loss.
  private func addPenalties() {
    let (l1, l2) = (Float(options.l1Penalty), Float(2 * options.l2Penalty))
    guard l1 > 0 || l2 > 0 else { return }
    for parameter in network.parameters
    where parameter.shape.count > 1 && parameter.offset < network.trainedCount {
      for i in parameter.offset..<parameter.offset + parameter.count {
        let weight = memory.parameters.pointer[i]
        let sign: Float = weight > 0 ? 1 : weight < 0 ? -1 : 0
        memory.lanes.pointer[i] += l1 * sign + l2 * weight
      }
    }
  }

  /// Running statistics change by what the layers' backward passes ask for, and by no optimizer.
  private func updateBuffers() {
    let first = roundedUpTo16(network.trainedCount)
    guard first < network.parameterCount else { return }
    for lane in 0..<memory.shape.laneCount {
      let changes = memory.lanes.pointer + lane * memory.parameterStride
      for i in first..<network.parameterCount {
        memory.parameters.pointer[i] += changes[i]
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
        weights: memory.parameters.pointer + start, gradient: gradient,
        state: start == 0 ? memory.states : memory.states.map { $0 + start }, count: end - start,
        learningRate: learningRate, number: stepNumber, values: optimizerValues))
  }

  /// The sum of the row weights of a piece, as an output counts them.
  private func totalWeight(_ output: TrainedOutput, _ piece: TrainingPiece) -> Double {
    let set = piece.set
    guard set.isWeighted || !output.classWeights.isEmpty else { return Double(piece.count) }
    var sum = 0.0
    for i in piece.first..<piece.first + piece.count {
      let row = piece.order.map { Int($0[i]) } ?? i
      var weight = set.isWeighted ? set.weights.pointer[row] : 1
      if !output.classWeights.isEmpty { weight *= classWeight(output, set, row) }
      sum += Double(weight)
    }
    return sum
  }

  private func classWeight(_ output: TrainedOutput, _ set: TrainingSet, _ row: Int) -> Float {
    if TrainedOutput.isClass(output.target) {
      return output.classWeights[Int(set.classes[row * set.classWidth + output.offset])]
    }
    return output.classWeights[
      set.targets.pointer[row * set.targetWidth + output.offset] > 0.5 ? 1 : 0]
  }

  /// What each output's losses are multiplied with before they are added up, by `stepSums`.
  private func setScales() {
    for output in outputs {
      if options.sumsLoss {
        memory.scales[output.index] = Float(output.lossWeight)
      } else {
        let rows = stepSums[weight: output.index] * averagedWidth(output)
        memory.scales[output.index] = rows > 0 ? Float(output.lossWeight / rows) : 0
      }
    }
  }

  /// Values that a row's loss is averaged over.
  private func averagedWidth(_ output: TrainedOutput) -> Double {
    output.loss.isPerRow ? 1 : Double(output.width)
  }

  private func meanLoss(_ sums: PassSums, _ output: TrainedOutput) -> Double {
    let sum = sums[loss: output.index]
    if options.sumsLoss { return sum }
    let rows = sums[weight: output.index] * averagedWidth(output)
    return rows > 0 ? sum / rows : 0
  }

  /// Over the outputs, by their weights.
  private func totalLoss(_ sums: PassSums) -> Double {
    outputs.reduce(0) { $0 + $1.lossWeight * meanLoss(sums, $1) }
  }

  /// The accuracy of each class output; with several outputs each one's loss too, under its name.
  private func metrics(_ sums: PassSums, prefix: String) -> [EpochReport.Metric] {
    let isOnly = outputs.count == 1
    return outputs.flatMap { output -> [EpochReport.Metric] in
      let name = isOnly ? "" : output.name + "_"
      var result: [EpochReport.Metric] = []
      if !isOnly {
        result.append(.init(name: prefix + name + "loss", value: meanLoss(sums, output)))
      }
      if output.loss.kind != .regression {
        let weight = sums[weight: output.index]
        result.append(
          .init(
            name: prefix + name + "accuracy",
            value: weight > 0 ? sums[correct: output.index] / weight : 0))
      }
      return result
    }
  }

  private static func diverged(epoch: Int, options: TrainerOptions) -> SQLError {
    SQLError(
      .model, "the loss is not a finite number in epoch \(epoch)",
      hint: "a smaller learning_rate than \(options.learningRate), standardize(…) on the inputs, "
        + "or clip_norm")
  }

  private static func noWeight() -> SQLError {
    SQLError(.model, "the weight of every training row is 0: there is nothing to learn")
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
