import CVectorMath

extension LayerDefinition {
  static let gru = recurrent("gru", .gru, "Gated recurrent units. Cho et al. 2014.")
  static let lstm = recurrent(
    "lstm", .lstm, "Long short-term memory. Hochreiter, Schmidhuber 1997.")
  static let rnn = recurrent("rnn", .tanh, "h = tanh(W x + U h + b). Elman 1990.")

  private static func recurrent(_ name: String, _ cell: RecurrentCell, _ summary: String)
    -> LayerDefinition
  {
    LayerDefinition(
      name, aliases: cell == .tanh ? ["rnn_tanh"] : [],
      parameters: [
        LayerParameter("hidden"), LayerParameter("num_layers", .integer(1)),
        LayerParameter("bidirectional", .boolean(false)),
      ],
      shortForm: ["hidden"],
      summary: summary + " [steps, features] gives [steps, hidden], twice as many in both ways.",
      example: "\(name)(64, num_layers => 2)"
    ) { arguments, input in
      guard input.dimensions.count == 2, input.dimensions[0] > 0 else {
        throw arguments.error(
          "expects an input of shape [steps, features], got \(input)",
          hint: "reshape(30, 1) before it")
      }
      guard let hidden = try arguments.integer("hidden"),
        let layers = try arguments.integer("num_layers"), layers <= 1024
      else { throw arguments.error("needs \"hidden\", and at most 1024 layers") }
      let ways = try arguments.boolean("bidirectional") ? 2 : 1
      let operation = RecurrentOperator(
        cell: cell, steps: input.dimensions[0], features: input.dimensions[1], hidden: hidden,
        layers: layers, ways: ways)
      let output = Shape([input.dimensions[0], ways * hidden])
      _ = try Shape([operation.gates, hidden, 2 * layers + 8]).elementCount()
      return MadeLayer(
        output: output, parameters: operation.parameterSpecs,
        flopsPerRow: 2 * input.dimensions[0] * operation.weightCount, operation: operation)
    }
  }
}

enum RecurrentCell: Sendable {
  case gru, lstm, tanh

  /// Blocks of `hidden` rows in the weights: i, f, g, o; r, z, n; one.
  var gates: Int {
    switch self {
    case .gru: 3
    case .lstm: 4
    case .tanh: 1
    }
  }
}

/// Layers of recurrent cells over the steps of a sequence, in one way or both.
/// Shapes: X [steps, features, rows] -> [steps, ways x hidden, rows].
///
/// State: the output of each layer but the last, then for each layer and way what its cells leave
/// (LSTM: gates and cell; GRU: gates and U h + b), then a zero state.
struct RecurrentOperator: LayerOperator {
  let cell: RecurrentCell
  let steps: Int
  let features: Int
  let hidden: Int
  let layers: Int
  let ways: Int
  /// The input ends with the first states, the output with the last ones, as PyTorch's h_0, c_0 and
  /// h_n, c_n [layers x ways, hidden]: several values, for a graph.
  var takesStates = false
  var givesStates = false

  /// The states before each step.
  var outputUse: OutputUse { .value }
  var gates: Int { cell.gates * hidden }
  private var width: Int { ways * hidden }
  private func inputs(_ layer: Int) -> Int { layer == 0 ? features : width }
  /// Vectors that a step of one layer and way leaves.
  private var kept: Int {
    switch cell {
    case .gru: 2 * gates
    case .lstm: gates + hidden
    case .tanh: 0
    }
  }

  /// PyTorch's names and order.
  var parameterSpecs: [ParameterSpec] {
    var specs: [ParameterSpec] = []
    for layer in 0..<layers {
      for way in 0..<ways {
        let suffix = "_l\(layer)" + (way == 1 ? "_reverse" : "")
        let fan = ParameterRole.weight(fanIn: hidden, fanOut: hidden)
        specs.append(
          ParameterSpec(name: "weight_ih" + suffix, shape: [gates, inputs(layer)], role: fan))
        specs.append(ParameterSpec(name: "weight_hh" + suffix, shape: [gates, hidden], role: fan))
        for name in ["bias_ih", "bias_hh"] {
          specs.append(
            ParameterSpec(name: name + suffix, shape: [gates], role: .bias(fanIn: hidden)))
        }
      }
    }
    return specs
  }

  var weightCount: Int { weightOffset(layers, 0) }

  private func weightOffset(_ layer: Int, _ way: Int) -> Int {
    var offset = 0
    for index in 0..<layer { offset += ways * gates * (inputs(index) + hidden + 2) }
    return offset + (layer < layers ? way * gates * (inputs(layer) + hidden + 2) : 0)
  }

  func stateCount(stride: Int) -> Int {
    let outputs = (layers - 1) * steps * width
    return (outputs + layers * ways * steps * kept + hidden) * stride
  }

  /// Slopes of the gates (and of U h), of h, of the cell; slopes of two layers' outputs; a
  /// transposed matrix.
  func scratchCount(stride: Int) -> Int {
    let transposed = max(
      DenseProduct(inputs: max(features, width), outputs: gates).scratchCount(stride: stride),
      DenseProduct(inputs: hidden, outputs: gates).scratchCount(stride: stride))
    return (2 * gates + 2 * hidden + 2 * steps * width) * stride + transposed
  }

  func forward(_ run: LayerRun) {
    zeroState(run).update(repeating: 0, count: hidden * run.stride)
    for layer in 0..<layers {
      for way in 0..<ways {
        let place = place(run, layer, way)
        for index in 0..<steps { step(run, place, index) }
        if givesStates { giveStates(run, place) }
      }
    }
  }

  func backward(_ run: LayerRun) {
    let size = steps * width * run.stride
    let first = run.scratch + (2 * gates + 2 * hidden) * run.stride
    for layer in (0..<layers).reversed() {
      // Two buffers in turn hold the slopes of the inner layers' outputs.
      let slope = layer == layers - 1 ? run.outputGradient : first + layer % 2 * size
      let below = layer == 0 ? run.inputGradient : first + (layer + 1) % 2 * size
      for way in 0..<ways {
        backward(run, place(run, layer, way), slope: slope, below: below, isFirst: way == 0)
      }
    }
  }

  /// Where one layer and way find their operands.
  private struct Place {
    var way: Int
    var inputs: Int
    var input: UnsafeMutablePointer<Float>
    var output: UnsafeMutablePointer<Float>
    var kept: UnsafeMutablePointer<Float>
    /// The states before the first step.
    var firstHidden: UnsafeMutablePointer<Float>
    var firstCell: UnsafeMutablePointer<Float>
    /// The number of the layer and way.
    var number: Int
    var offset: Int
    /// Of each weight after `offset`.
    var recurrent: Int
    var bias: Int
    var recurrentBias: Int
  }

  private func zeroState(_ run: LayerRun) -> UnsafeMutablePointer<Float> {
    run.state + ((layers - 1) * steps * width + layers * ways * steps * kept) * run.stride
  }

  private func place(_ run: LayerRun, _ layer: Int, _ way: Int) -> Place {
    let size = steps * width * run.stride
    let inputs = inputs(layer)
    let number = layer * ways + way
    let states = run.input + (steps * features + number * hidden) * run.stride
    let zero = zeroState(run)
    return Place(
      way: way, inputs: inputs, input: layer == 0 ? run.input : run.state + (layer - 1) * size,
      output: layer == layers - 1 ? run.output : run.state + layer * size,
      kept: run.state
        + ((layers - 1) * steps * width + (layer * ways + way) * steps * kept) * run.stride,
      firstHidden: takesStates ? states : zero,
      firstCell: takesStates ? states + cellOffset * run.stride : zero, number: number,
      offset: weightOffset(layer, way), recurrent: gates * inputs,
      bias: gates * (inputs + hidden), recurrentBias: gates * (inputs + hidden + 1))
  }

  /// The step that is the index-th in the order of the way.
  private func time(_ place: Place, _ index: Int) -> Int {
    place.way == 0 ? index : steps - 1 - index
  }

  /// The state after the index-th step; before the first the zero state.
  private func hiddenState(_ run: LayerRun, _ place: Place, _ index: Int)
    -> UnsafeMutablePointer<Float>
  {
    index < 0
      ? place.firstHidden
      : place.output + (time(place, index) * width + place.way * hidden) * run.stride
  }

  /// Vectors from a hidden state to its cell's, in the appended states.
  private var cellOffset: Int { layers * ways * hidden }

  private func giveStates(_ run: LayerRun, _ place: Place) {
    let target = run.output + (steps * width + place.number * hidden) * run.stride
    target.update(from: hiddenState(run, place, steps - 1), count: hidden * run.stride)
    if cell == .lstm {
      (target + cellOffset * run.stride).update(
        from: cellState(run, place, steps - 1), count: hidden * run.stride)
    }
  }

  /// The slopes of the last states, where they are outputs, else zero.
  private func beginSlopes(
    _ run: LayerRun, _ place: Place, _ hiddenSlope: UnsafeMutablePointer<Float>,
    _ cellSlope: UnsafeMutablePointer<Float>
  ) {
    hiddenSlope.update(repeating: 0, count: 2 * hidden * run.stride)
    guard givesStates else { return }
    let source = run.outputGradient + (steps * width + place.number * hidden) * run.stride
    hiddenSlope.update(from: source, count: hidden * run.stride)
    if cell == .lstm {
      cellSlope.update(from: source + cellOffset * run.stride, count: hidden * run.stride)
    }
  }

  /// Hands the slopes of the first states on, where they are inputs.
  private func endSlopes(
    _ run: LayerRun, _ place: Place, _ hiddenSlope: UnsafeMutablePointer<Float>,
    _ cellSlope: UnsafeMutablePointer<Float>
  ) {
    guard takesStates, let inputGradient = run.inputGradient else { return }
    let target = inputGradient + (steps * features + place.number * hidden) * run.stride
    target.update(from: hiddenSlope, count: hidden * run.stride)
    if cell == .lstm {
      (target + cellOffset * run.stride).update(from: cellSlope, count: hidden * run.stride)
    }
  }

  private func step(_ run: LayerRun, _ place: Place, _ index: Int) {
    let stride = run.stride
    let weights = run.parameters + place.offset
    let x = place.input + time(place, index) * place.inputs * stride
    let before = hiddenState(run, place, index - 1)
    let output = hiddenState(run, place, index)
    let kept = place.kept + index * self.kept * stride
    let target = cell == .tanh ? output : kept
    let second = cell == .gru ? kept + gates * stride : target
    DenseProduct(inputs: place.inputs, outputs: gates).forward(
      weights, weights + place.bias, x, inputPitch: stride, target, outputPitch: stride,
      rows: run.rows)
    DenseProduct(inputs: hidden, outputs: gates).forward(
      weights + place.recurrent, weights + place.recurrentBias, before, inputPitch: stride, second,
      outputPitch: stride, rows: run.rows, accumulates: cell != .gru)
    switch cell {
    case .gru:
      apus_gru_cell(kept, second, before, output, hidden, run.rows, stride)
    case .lstm:
      apus_lstm_cell(
        kept, cellState(run, place, index - 1), kept + gates * stride, output, hidden, run.rows,
        stride)
    case .tanh:
      apus_tanh(output, output, hidden, run.rows, stride)
    }
  }

  private func cellState(_ run: LayerRun, _ place: Place, _ index: Int)
    -> UnsafeMutablePointer<Float>
  {
    index < 0 ? place.firstCell : place.kept + (index * kept + gates) * run.stride
  }

  private func backward(
    _ run: LayerRun, _ place: Place, slope: UnsafeMutablePointer<Float>,
    below: UnsafeMutablePointer<Float>?, isFirst: Bool
  ) {
    let stride = run.stride
    let weights = run.parameters + place.offset
    let gradients = run.gradients + place.offset
    let inputSlopes = run.scratch
    let stateSlopes = cell == .gru ? run.scratch + gates * stride : inputSlopes
    let hiddenSlope = run.scratch + 2 * gates * stride
    let cellSlope = hiddenSlope + hidden * stride
    let transposed = cellSlope + (hidden + 2 * steps * width) * stride
    beginSlopes(run, place, hiddenSlope, cellSlope)
    let product = DenseProduct(inputs: place.inputs, outputs: gates)
    let recurrent = DenseProduct(inputs: hidden, outputs: gates)
    for index in (0..<steps).reversed() {
      let time = time(place, index)
      let outer = slope + (time * width + place.way * hidden) * stride
      apus_add_vectors(outer, hiddenSlope, hiddenSlope, hidden, run.rows, stride)
      cellBackward(run, place, index, inputSlopes, stateSlopes, hiddenSlope, cellSlope)
      apus_add_row_sums(inputSlopes, gates, run.rows, stride, gradients + place.bias)
      apus_add_row_sums(stateSlopes, gates, run.rows, stride, gradients + place.recurrentBias)
      product.weightGradient(
        inputSlopes, slopePitch: stride, place.input + time * place.inputs * stride,
        inputPitch: stride, gradients, scratch: transposed, rows: run.rows)
      if index > 0 || takesStates {
        recurrent.weightGradient(
          stateSlopes, slopePitch: stride, hiddenState(run, place, index - 1), inputPitch: stride,
          gradients + place.recurrent, scratch: transposed, rows: run.rows)
      }
      // A GRU's state reaches the next one directly too.
      recurrent.inputGradient(
        weights + place.recurrent, stateSlopes, slopePitch: stride, hiddenSlope,
        inputPitch: stride, rows: run.rows, accumulates: cell == .gru)
      if let below {
        product.inputGradient(
          weights, inputSlopes, slopePitch: stride, below + time * place.inputs * stride,
          inputPitch: stride, rows: run.rows, accumulates: !isFirst)
      }
    }
    endSlopes(run, place, hiddenSlope, cellSlope)
  }

  private func cellBackward(
    _ run: LayerRun, _ place: Place, _ index: Int, _ inputSlopes: UnsafeMutablePointer<Float>,
    _ stateSlopes: UnsafeMutablePointer<Float>, _ hiddenSlope: UnsafeMutablePointer<Float>,
    _ cellSlope: UnsafeMutablePointer<Float>
  ) {
    let kept = place.kept + index * self.kept * run.stride
    switch cell {
    case .gru:
      apus_gru_cell_backward(
        kept, kept + gates * run.stride, hiddenState(run, place, index - 1), hiddenSlope,
        hiddenSlope, inputSlopes, stateSlopes, hidden, run.rows, run.stride)
    case .lstm:
      apus_lstm_cell_backward(
        kept, cellState(run, place, index - 1), cellState(run, place, index), hiddenSlope,
        cellSlope, inputSlopes, hidden, run.rows, run.stride)
    case .tanh:
      apus_tanh_backward(
        hiddenState(run, place, index), hiddenSlope, inputSlopes, hidden, run.rows, run.stride)
    }
  }
}
