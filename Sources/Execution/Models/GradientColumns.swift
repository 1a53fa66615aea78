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
    guard let weights = model.weights else {
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
    let width = gradient.inputWidth
    let slopes = Column(flat: .float, count: max(1, width * rows))
    let target = slopes.values(as: Float.self)
    var units = [Int32](repeating: 0, count: rows)
    if hasClasses {
      for row in 0..<rows {
        let scores = predicted + row * rowWidth + range.lowerBound
        var best = 0
        for unit in 1..<max(range.count, 1) where scores[unit] > scores[best] { best = unit }
        units[row] = Int32(truncatingIfNeeded: best)
      }
    }
    let outputs = (0..<width).map { target + $0 * rows }
    features.withPointers { inputs in
      outputs.withUnsafeBufferPointer { outputs in
        units.withUnsafeBufferPointer { units in
          guard let to = outputs.baseAddress, let unit = units.baseAddress else { return }
          gradient.compute(rows: rows, columns: inputs, units: unit, into: to)
        }
      }
    }
    return slopes
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
