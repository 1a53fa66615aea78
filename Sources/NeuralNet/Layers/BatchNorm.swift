import CVectorMath

extension LayerDefinition {
  static let batchNorm = LayerDefinition(
    "batchnorm", aliases: ["batch_norm", "batchnorm1d", "batchnorm2d"],
    parameters: [LayerParameter("eps", .number(1e-5)), LayerParameter("momentum", .number(0.1))],
    summary: "Mean 0 and variance 1 of each channel over the batch; by running statistics when not "
      + "training. Ioffe, Szegedy 2015.",
    example: "batchnorm()"
  ) { arguments, input in
    let channels = input.dimensions.first ?? 1
    return MadeLayer(
      output: input, parameters: normParameters(channels),
      buffers: [
        ParameterSpec(name: "running_mean", shape: [channels], role: .constant(0)),
        ParameterSpec(name: "running_var", shape: [channels], role: .constant(1)),
      ],
      operation: BatchNormOperator(
        channels: channels, span: try input.elementCount() / channels,
        eps: Float(try arguments.number("eps")),
        momentum: Float(try arguments.number("momentum"))))
  }
}

/// State: mean and 1 / deviation of each channel, then the batch's variance.
struct BatchNormOperator: LayerOperator {
  let channels: Int
  let span: Int
  let eps: Float
  let momentum: Float

  var needsWholeBatch: Bool { true }
  func stateCount(stride: Int) -> Int { 3 * channels }

  func forward(_ run: LayerRun) {
    let count = Double(run.rowCount * span)
    for channel in 0..<channels {
      let at = channel * span * run.stride
      var mean = run.buffers[channel]
      var variance = run.buffers[channels + channel]
      if run.isTraining {
        let x = run.input + at
        mean = Float(
          apus_sum_channel(x, 0, 0, span, run.rowCount, run.rows, run.stride) / count)
        variance = Float(
          apus_sum_channel(x, mean, 1, span, run.rowCount, run.rows, run.stride) / count)
      }
      let inverse = 1 / (variance + eps).squareRoot()
      run.state[channel] = mean
      run.state[channels + channel] = inverse
      run.state[2 * channels + channel] = variance
      let scale = run.parameters[channel] * inverse
      apus_affine_channel(
        run.input + at, run.output + at, scale, run.parameters[channels + channel] - mean * scale,
        span, run.rows, run.stride)
    }
  }

  func backward(_ run: LayerRun) {
    let count = Double(run.rowCount * span)
    for channel in 0..<channels {
      let at = channel * span * run.stride
      let mean = run.state[channel]
      let inverse = run.state[channels + channel]
      let slope = run.outputGradient + at
      let sum = apus_sum_channel(slope, 0, 0, span, run.rowCount, run.rows, run.stride)
      let dot = apus_dot_channel(
        run.input + at, mean, slope, span, run.rowCount, run.rows, run.stride)
      run.gradients[channel] += Float(dot) * inverse
      run.gradients[channels + channel] += Float(sum)
      let scale = run.parameters[channel] * inverse
      if let inputGradient = run.inputGradient {
        let share = run.isTraining ? -scale * inverse * inverse * Float(dot / count) : 0
        let shift = run.isTraining ? -scale * Float(sum / count) : 0
        apus_affine_channel_backward(
          run.input + at, slope, inputGradient + at, mean, scale, share, shift, span, run.rowCount,
          run.rows, run.stride)
      }
      if run.isTraining { moveStatistics(run, channel, count: count) }
    }
  }

  /// The running variance is the unbiased one, as in PyTorch.
  private func moveStatistics(_ run: LayerRun, _ channel: Int, count: Double) {
    let unbiased = run.state[2 * channels + channel] * Float(count / max(1, count - 1))
    run.bufferChanges[channel] += momentum * (run.state[channel] - run.buffers[channel])
    run.bufferChanges[channels + channel] +=
      momentum * (unbiased - run.buffers[channels + channel])
  }
}
