import CVectorMath

/// A thread's own buffers: the executor and the targets of the tile at hand.
final class TrainerWorker: @unchecked Sendable {
  // SAFETY: worker i of the team uses workers[i] alone.
  let executor: TileExecutor
  let targets: FloatBuffer
  let weights: FloatBuffer
  private let classes: FloatBuffer
  /// [tileRows] class ids, in the memory of `classes`.
  let classIds: UnsafeMutablePointer<Int32>

  init(plan: ExecutionPlan, tileRows: Int, targetWidth: Int) throws {
    executor = try TileExecutor(plan: plan, capacity: tileRows, training: true)
    targets = try FloatBuffer(count: targetWidth * executor.stride)
    weights = try FloatBuffer(count: executor.stride)
    classes = try FloatBuffer(count: executor.stride)
    // SAFETY: same size and alignment; only ever used as Int32.
    classIds = UnsafeMutableRawPointer(classes.pointer).bindMemory(
      to: Int32.self, capacity: executor.stride)
  }

  /// Copies rows first ..< first + count of `order` (nil: of the set itself) into the tile.
  func load(
    _ set: TrainingSet, order: UnsafePointer<UInt32>?, first: Int, count: Int,
    classWeights: [Float], wantsValues: Bool, targetWidth: Int
  ) {
    let stride = executor.stride
    let padded = roundedUpTo16(count)
    let rows = order.map { $0 + first }
    apus_gather_rows(
      set.features.pointer, set.width, rows, first, count, executor.input, stride)
    for i in 0..<padded {
      let row = rows.map { Int($0[i < count ? i : 0]) } ?? (first + i)
      weights.pointer[i] =
        i >= count ? 0 : set.isWeighted ? set.weights.pointer[row] : 1
    }
    switch set.target {
    case .values(let width):
      apus_gather_rows(set.targets.pointer, width, rows, first, count, targets.pointer, stride)
    case .classes:
      set.classes.withUnsafeBufferPointer { ids in
        for i in 0..<padded {
          classIds[i] = i >= count ? 0 : ids[rows.map { Int($0[i]) } ?? (first + i)]
        }
      }
      if !classWeights.isEmpty {
        for i in 0..<count { weights.pointer[i] *= classWeights[Int(classIds[i])] }
      }
      if wantsValues { spreadClasses(padded, targetWidth: targetWidth) }
    }
  }

  /// Class ids as values: 0 and 1 for one output, one-hot for several.
  private func spreadClasses(_ padded: Int, targetWidth: Int) {
    let stride = executor.stride
    for j in 0..<targetWidth {
      for i in 0..<padded {
        let hit = targetWidth == 1 ? classIds[i] == 1 : Int(classIds[i]) == j
        targets.pointer[j * stride + i] = hit ? 1 : 0
      }
    }
  }
}
