import Diagnostics

/// What the network says of some rows, for one output: labels beside scores.
package struct EvaluatedOutput {
  /// The class of each row; of an output of numbers all its values, row by row.
  package var labels: [Double]
  /// [rows, width], row-major.
  package var scores: [Float]
}

extension Trainer {
  /// Whether there are rows to validate on.
  package var hasValidation: Bool { validation != nil }

  /// Runs the network as it is now over all rows, some thousand at a time: what every output gives in
  /// its form, beside the labels. Errors: cancelled, and what `body` throws.
  package func evaluate(
    onValidation: Bool, forms: [OutputForm], _ body: ([EvaluatedOutput]) throws -> Void
  ) throws {
    guard let source = onValidation ? validation : training else { return }
    let predictor = try Predictor(
      network: network, weights: try Weights(network: network, copying: memory.parameters.pointer),
      outputs: forms.enumerated().map { PredictedOutput($0, $1) })
    let scratch = try predictor.makeScratch()
    try source.begin(.natural)
    var first = 0
    var raw: [Float] = []
    while first < source.rows {
      if isCancelled() { throw SQLError(.interrupted, "training was cancelled") }
      let piece = try source.next(rows: min(4096, source.rows - first))
      raw = Array(repeating: 0, count: piece.count * predictor.outputWidth)
      raw.withUnsafeMutableBufferPointer { target in
        guard let target = target.baseAddress else { return }
        // In their natural order rows lie one after the other.
        predictor.predict(
          rows: piece.count, matrix: piece.set.features.pointer + piece.first * piece.set.width,
          rowMajor: target, scratch: scratch)
      }
      try body(
        outputs.map { output in
          let range = predictor.ranges[output.index]
          var scores: [Float] = []
          scores.reserveCapacity(piece.count * range.count)
          for row in 0..<piece.count {
            let start = row * predictor.outputWidth + range.lowerBound
            scores += raw[start..<start + range.count]
          }
          return EvaluatedOutput(labels: labels(of: output, piece), scores: scores)
        })
      first += piece.count
    }
  }

  private func labels(of output: TrainedOutput, _ piece: TrainingPiece) -> [Double] {
    let set = piece.set
    if TrainedOutput.isClass(output.target) {
      return (piece.first..<piece.first + piece.count).map {
        Double(set.classes[$0 * set.classWidth + output.offset])
      }
    }
    return (piece.first..<piece.first + piece.count).flatMap { row in
      (0..<output.width).map {
        Double(set.targets.pointer[row * set.targetWidth + output.offset + $0])
      }
    }
  }
}
