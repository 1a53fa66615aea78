import Columnar
import Diagnostics
import NeuralNet
import Planner

/// Makes columns of how one output of a network changes with its features. One per worker.
final class GradientColumns {
  private let gradient: InputGradient
  private let hasClasses: Bool
  /// The network's inputs that each feature takes.
  private let places: [Range<Int>]

  init(_ model: Model, output: Int) throws {
    guard let weights = model.weights ?? model.groups?.weights.first else {
      throw SQLError(.model, "model \"\(model.name)\" has not been trained")
    }
    let definition = model.definition.outputs[output]
    hasClasses = definition.kind == .classes
    gradient = try InputGradient(
      network: model.network, weights: weights, output: output,
      form: definition.kind == .number
        ? .raw : .probabilities(loss: model.definition.options.training.lossName(of: definition)))
    var places: [Range<Int>] = []
    for feature in model.transform.features {
      let start = places.last?.upperBound ?? 0
      places.append(start..<start + ModelDefinition.width(of: feature.type))
    }
    self.places = places
  }

  /// The gradient by each input of the network, side by side: `rows` values each. `predicted` is
  /// what the network gives for the output, `range` of each row of `rowWidth`: of several classes
  /// the likeliest one's probability counts.
  func compute(
    _ features: FeatureColumns, rows: Int, predicted: UnsafePointer<Float>, range: Range<Int>,
    rowWidth: Int
  ) -> Column {
    let slopes = Column(flat: .float, count: max(1, gradient.inputWidth * rows))
    features.keepingAlive { inputs in
      compute(
        inputs, units: units(rows: rows, predicted, range, rowWidth: rowWidth),
        into: slopes.values(as: Float.self), weights: nil)
    }
    return slopes
  }

  /// The same where each row has a network of its own among `networks`; zeros for rows without one.
  func compute(
    _ features: FeatureColumns, rows: Int, predicted: UnsafePointer<Float>, range: Range<Int>,
    rowWidth: Int, by keyed: NetworkRows, _ networks: [Weights]
  ) -> Column {
    let width = gradient.inputWidth
    let slopes = Column(flat: .float, count: max(1, width * rows))
    let target = slopes.values(as: Float.self)
    target.update(repeating: 0, count: max(1, width * rows))
    let units = units(rows: rows, predicted, range, rowWidth: rowWidth)
    features.keepingAlive { inputs in
      keyed.forEachNetwork { network, members in
        // The network's rows side by side: its inputs, then their slopes.
        let count = members.count
        let some = Buffer(byteCount: 2 * width * count * 4)
        let floats = some.pointer.assumingMemoryBound(to: Float.self)
        for input in 0..<width {
          for (place, row) in members.enumerated() {
            floats[input * count + place] = inputs[input][row]
          }
        }
        let made = floats + width * count
        compute(
          (0..<width).map { UnsafePointer(floats + $0 * count) }, units: members.map { units[$0] },
          into: made, weights: networks[network])
        for input in 0..<width {
          for (place, row) in members.enumerated() {
            target[input * rows + row] = made[input * count + place]
          }
        }
        withExtendedLifetime(some) {}
      }
    }
    return slopes
  }

  /// `slopes`: the gradient by each input, as many values as there are `units`.
  private func compute(
    _ inputs: [UnsafePointer<Float>], units: [Int32], into slopes: UnsafeMutablePointer<Float>,
    weights: Weights?
  ) {
    let outputs = inputs.indices.map { slopes + $0 * units.count }
    inputs.withUnsafeBufferPointer { inputs in
      outputs.withUnsafeBufferPointer { outputs in
        units.withUnsafeBufferPointer { unit in
          guard let from = inputs.baseAddress, let to = outputs.baseAddress,
            let unit = unit.baseAddress
          else { return }
          gradient.compute(
            rows: units.count, columns: from, units: unit, into: to, weights: weights)
        }
      }
    }
  }

  /// Of each row the unit whose slope is wanted: the likeliest class's.
  private func units(
    rows: Int, _ predicted: UnsafePointer<Float>, _ range: Range<Int>, rowWidth: Int
  ) -> [Int32] {
    var units = [Int32](repeating: 0, count: rows)
    if !hasClasses { return units }
    for row in 0..<rows {
      let scores = predicted + row * rowWidth + range.lowerBound
      var best = 0
      for unit in 1..<max(range.count, 1) where scores[unit] > scores[best] { best = unit }
      units[row] = Int32(truncatingIfNeeded: best)
    }
    return units
  }

  /// What `compute` gave for one feature, as a column of that type.
  func column(_ slopes: Column, feature: Int, rows: Int, _ type: LogicalType) -> Column {
    let source = slopes.values(as: Float.self)
    let place = places[feature]
    let flat = Column(flat: .float, count: rows * place.count)
    let target = flat.values(as: Float.self)
    for (position, input) in place.enumerated() {
      for row in 0..<rows { target[row * place.count + position] = source[input * rows + row] }
    }
    withExtendedLifetime(slopes) {}
    return type == .float ? flat : Column(flat: type, count: rows, children: [flat])
  }
}
