/// A layer at work on a tile. Tensors are feature-major: [width, rows], each feature `stride` floats
/// after the one before, rows padded to 16. The padding may hold any finite value on the way
/// forward; its gradient is zero.
package protocol LayerOperator: Sendable {
  func forward(_ run: LayerRun)
  /// Adds to `run.gradients`, writes `run.inputGradient` where that is not nil.
  func backward(_ run: LayerRun)

  /// The output may overwrite the (first) input: backward does not need it.
  var inPlace: Bool { get }
  /// What backward reads of the output, so that the next layer knows whether to spare it.
  var outputUse: OutputUse { get }
  /// Positive outputs come from positive inputs of the same place only (relu, dropout).
  var keepsSign: Bool { get }
  /// The output is the input, place by place (flatten).
  var keepsValue: Bool { get }
  /// Floats that forward leaves for backward (gates, statistics): the layer's own, for a tile.
  func stateCount(stride: Int) -> Int
  /// Forward mixes the rows of a batch when training (batchnorm): the batch must be one tile.
  var needsWholeBatch: Bool { get }
  /// Floats of scratch memory of backward for a tile, shared by all layers.
  func scratchCount(stride: Int) -> Int
  /// One operator that does this and the next layer's work, where there is one.
  func fused(with next: any LayerOperator) -> (any LayerOperator)?
  /// Whether the layer does nothing but when training (dropout).
  var isTrainingOnly: Bool { get }
}

extension LayerOperator {
  package var inPlace: Bool { false }
  package var outputUse: OutputUse { .none }
  package var keepsSign: Bool { false }
  package var keepsValue: Bool { false }
  package var isTrainingOnly: Bool { false }
  package var needsWholeBatch: Bool { false }
  package func stateCount(stride: Int) -> Int { 0 }
  package func scratchCount(stride: Int) -> Int { 0 }
  package func fused(with next: any LayerOperator) -> (any LayerOperator)? { nil }
}

/// What a layer's backward pass reads of its output.
package enum OutputUse: Sendable {
  case none
  /// Only whether it is above zero, and only where the incoming gradient is not zero.
  case sign
  case value
}

/// One of the tensors that a layer takes.
package struct LayerOperand {
  var values: UnsafeMutablePointer<Float>
  var width: Int
  /// Where backward writes its gradient; nil where nobody needs it.
  var gradient: UnsafeMutablePointer<Float>?
}

/// The operands of one call. SAFETY: all pointers belong to the executor that makes the call and
/// outlive it; sizes follow from the widths, `stride` and `rows`.
package struct LayerRun {
  var input: UnsafeMutablePointer<Float>
  var output: UnsafeMutablePointer<Float>
  var inputWidth: Int
  var outputWidth: Int
  var outputGradient: UnsafeMutablePointer<Float>
  /// Nil where nobody needs it (the first layer).
  var inputGradient: UnsafeMutablePointer<Float>?
  /// All tensors of a layer that takes several; the first is `input` too.
  var operands: UnsafeBufferPointer<LayerOperand> = UnsafeBufferPointer(start: nil, count: 0)
  /// This layer's part of the flat vectors.
  var parameters: UnsafePointer<Float>
  var gradients: UnsafeMutablePointer<Float>
  /// Values that are no weights: running statistics. Backward adds what they shall change by.
  var buffers: UnsafePointer<Float>
  var bufferChanges: UnsafeMutablePointer<Float>
  /// What forward left for backward.
  var state: UnsafeMutablePointer<Float>
  var scratch: UnsafeMutablePointer<Float>
  /// Rows of the tile, rounded up to 16.
  var rows: Int
  /// Rows of the tile without the padding.
  var rowCount: Int
  var stride: Int
  var isTraining: Bool
  /// Key of this layer's random draws, and the position of the tile's first row in the epoch.
  var randomKey: UInt64
  var firstRow: UInt64
}
