import CVectorMath

extension LayerDefinition {
  static let dropout = LayerDefinition.elementwise(
    "dropout", parameters: [LayerParameter("p", .number(0.5))],
    summary: "In training, zero with probability p, else x / (1 - p). Srivastava et al. 2014.",
    example: "dropout(0.3)"
  ) { arguments in
    let p = try arguments.number("p")
    guard p >= 0, p <= 1 else {
      throw arguments.error("needs a probability from 0 to 1 for \"p\", got \(p)")
    }
    return DropoutOperator(p: Float(p))
  }
}

/// The mask is drawn again on the way back: a draw is cheaper than a stored mask.
struct DropoutOperator: LayerOperator {
  let p: Float

  var inPlace: Bool { true }
  var keepsSign: Bool { true }
  var isTrainingOnly: Bool { true }

  func forward(_ run: LayerRun) {
    if run.isTraining {
      apus_dropout(
        run.input, run.output, run.outputWidth, run.rows, run.stride, p, run.randomKey,
        run.firstRow)
    } else if run.input != run.output {
      run.output.update(from: run.input, count: run.outputWidth * run.stride)
    }
  }

  func backward(_ run: LayerRun) {
    guard let inputGradient = run.inputGradient else { return }
    guard run.isTraining else {
      if inputGradient != run.outputGradient {
        inputGradient.update(from: run.outputGradient, count: run.outputWidth * run.stride)
      }
      return
    }
    apus_dropout(
      run.outputGradient, inputGradient, run.outputWidth, run.rows, run.stride, p, run.randomKey,
      run.firstRow)
  }
}
