import CVectorMath

/// A thread's own buffers: the executor and the targets of the tile at hand.
final class TrainerWorker: @unchecked Sendable {
  // SAFETY: worker i of the team uses workers[i] alone.
  let executor: TileExecutor
  /// Those of the training at hand; their targets are of one layout in all trainings.
  var outputs: [TrainedOutput]
  /// [valueWidth, stride], as the rows have them; then the classes of losses that want values.
  private let targets: FloatBuffer
  private let targetAt: [UnsafeMutablePointer<Float>]
  /// [stride] of each output, row weight times class weight.
  private let weights: FloatBuffer
  /// [stride] of each output, in the memory of floats.
  private let classes: FloatBuffer
  private let classMemory: UnsafeMutablePointer<Int32>

  init(plan: ExecutionPlan, tileRows: Int, outputs: [TrainedOutput]) throws {
    executor = try TileExecutor(plan: plan, capacity: tileRows, training: true)
    self.outputs = outputs
    var valueWidth = 0
    var spreadWidth = 0
    for output in outputs {
      if TrainedOutput.isClass(output.target) {
        spreadWidth += output.width
      } else {
        valueWidth += output.targetWidth
      }
    }
    let stride = executor.stride
    targets = try FloatBuffer(count: (valueWidth + spreadWidth) * stride)
    weights = try FloatBuffer(count: outputs.count * stride)
    classes = try FloatBuffer(count: outputs.count * stride)
    // SAFETY: same size and alignment; only ever used as Int32.
    classMemory = UnsafeMutableRawPointer(classes.pointer).bindMemory(
      to: Int32.self, capacity: outputs.count * stride)
    var next = valueWidth
    var starts: [UnsafeMutablePointer<Float>] = []
    for output in outputs {
      if TrainedOutput.isClass(output.target) {
        starts.append(targets.pointer + next * stride)
        next += output.width
      } else {
        starts.append(targets.pointer + output.offset * stride)
      }
    }
    targetAt = starts
  }

  func targets(_ output: Int) -> UnsafeMutablePointer<Float> { targetAt[output] }

  func weights(_ output: Int) -> UnsafeMutablePointer<Float> {
    weights.pointer + output * executor.stride
  }

  func classIds(_ output: Int) -> UnsafeMutablePointer<Int32> {
    classMemory + output * executor.stride
  }

  /// Copies `count` rows of a piece, from its row `first` on, into the tile.
  func load(_ piece: TrainingPiece, first: Int, count: Int) {
    let set = piece.set
    let stride = executor.stride
    let padded = roundedUpTo16(count)
    let first = piece.first + first
    let rows = piece.order.map { $0 + first }
    apus_gather_rows(
      set.features.pointer, set.width, rows, first, count, executor.input, stride)
    let common = weights.pointer
    for i in 0..<padded {
      let row = rows.map { Int($0[i < count ? i : 0]) } ?? (first + i)
      common[i] = i >= count ? 0 : set.isWeighted ? set.weights.pointer[row] : 1
    }
    if set.targetWidth > 0 {
      apus_gather_rows(
        set.targets.pointer, set.targetWidth, rows, first, count, targets.pointer, stride)
    }
    // The first output's last: its place holds what is common to all.
    for output in outputs.reversed() {
      let own = weights(output.index)
      if output.index > 0 { own.update(from: common, count: padded) }
      if TrainedOutput.isClass(output.target) {
        loadClasses(output, set, rows, first: first, count: count)
      }
      weigh(output, own, count: count)
    }
  }

  private func loadClasses(
    _ output: TrainedOutput, _ set: TrainingSet, _ rows: UnsafePointer<UInt32>?, first: Int,
    count: Int
  ) {
    let target = classIds(output.index)
    let pitch = set.classWidth
    let padded = roundedUpTo16(count)
    set.classes.withUnsafeBufferPointer { ids in
      for i in 0..<padded {
        target[i] =
          i >= count ? 0 : ids[(rows.map { Int($0[i]) } ?? (first + i)) * pitch + output.offset]
      }
    }
    if !output.takesClasses { spreadClasses(output, padded) }
  }

  private func weigh(_ output: TrainedOutput, _ own: UnsafeMutablePointer<Float>, count: Int) {
    guard !output.classWeights.isEmpty else { return }
    if TrainedOutput.isClass(output.target) {
      let ids = classIds(output.index)
      for i in 0..<count { own[i] *= output.classWeights[Int(ids[i])] }
    } else {
      let values = targetAt[output.index]
      for i in 0..<count { own[i] *= output.classWeights[values[i] > 0.5 ? 1 : 0] }
    }
  }

  /// Class ids as values: 0 and 1 for one output, one-hot for several.
  private func spreadClasses(_ output: TrainedOutput, _ padded: Int) {
    let stride = executor.stride
    let ids = classIds(output.index)
    let target = targetAt[output.index]
    for j in 0..<output.width {
      for i in 0..<padded {
        let hit = output.width == 1 ? ids[i] == 1 : Int(ids[i]) == j
        target[j * stride + i] = hit ? 1 : 0
      }
    }
  }
}
