import Columnar
import Diagnostics
import Functions
import NeuralNet

/// Runs each row through the network of its key. One thread at a time.
final class GroupedPredictor {
  private let groups: ModelGroups
  private let predictor: Predictor
  private let scratch: PredictorScratch
  private let networks: KeyedNetworks
  private var matrix: [Float] = []
  private var results: [Float] = []

  /// For some of the model's outputs, by their numbers.
  init(_ model: Model, outputs: [Int], groups: ModelGroups) throws {
    self.groups = groups
    guard let first = groups.weights.first else {
      throw SQLError(.model, "model \"\(model.name)\" has no networks")
    }
    predictor = try model.predictor(outputs, first)
    scratch = try predictor.makeScratch()
    networks = try KeyedNetworks(model, groups)
  }

  /// Floats of a row of the outputs.
  var outputWidth: Int { predictor.outputWidth }
  var ranges: [Range<Int>] { predictor.ranges }

  /// Floating-point operations of a row.
  var flopsPerRow: Int { predictor.flopsPerRow }

  /// [rows, outputWidth] of `output`, and the rows' networks: there is none where a key is NULL, or
  /// one that training did not see (an error with on_unseen = 'error').
  func predict(
    rows: Int, features: FeatureColumns, keys: [Column],
    rowMajor output: UnsafeMutablePointer<Float>
  ) throws -> NetworkRows {
    let keyed = try networks.rows(keys, count: rows)
    features.keepingAlive { columns in run(keyed.order, columns, output) }
    return keyed
  }

  /// `order`: a network's number and a row's, ascending.
  private func run(
    _ order: [UInt64], _ columns: [UnsafePointer<Float>],
    _ output: UnsafeMutablePointer<Float>
  ) {
    let width = predictor.inputWidth
    let outputWidth = predictor.outputWidth
    if matrix.count < order.count * width {
      matrix = [Float](repeating: 0, count: order.count * width)
      results = [Float](repeating: 0, count: order.count * outputWidth)
    }
    for (place, entry) in order.enumerated() {
      let row = Int(entry & 0xFFFF_FFFF)
      for (index, column) in columns.enumerated() { matrix[place * width + index] = column[row] }
    }
    matrix.withUnsafeBufferPointer { matrix in
      results.withUnsafeMutableBufferPointer { results in
        guard let from = matrix.baseAddress, let to = results.baseAddress else { return }
        var start = 0
        while start < order.count {
          let network = Int(order[start] >> 32)
          var end = start + 1
          while end < order.count, Int(order[end] >> 32) == network { end += 1 }
          predictor.predict(
            rows: end - start, matrix: from + start * width, rowMajor: to + start * outputWidth,
            scratch: scratch, weights: groups.weights[network])
          start = end
        }
        for (place, entry) in order.enumerated() {
          (output + Int(entry & 0xFFFF_FFFF) * outputWidth).update(
            from: to + place * outputWidth, count: outputWidth)
        }
      }
    }
  }

}
