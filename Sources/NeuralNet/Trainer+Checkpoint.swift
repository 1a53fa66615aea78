import Diagnostics

/// A training that was interrupted and goes on gives the same bits as one that was not: whatever is
/// drawn at random is a function of the seed and the epoch, so the weights, what the optimizer keeps,
/// and the history that early stopping and schedules read are all there is.
extension Trainer {
  /// What `resume` wants, as of the end of the last whole epoch. Little-endian.
  package func checkpoint() -> [UInt8] {
    var bytes = CheckpointWriter()
    bytes.text(Self.checkpointMark)
    bytes.text(optimizer.name)
    bytes.integers([network.parameterCount, memory.optimizerState.count])
    bytes.integers([epoch, stepNumber, epochsWithoutGain, bestWeights == nil ? 0 : 1])
    bytes.numbers([bestLoss, totalSeconds])
    bytes.integers([monitoredLosses.count])
    bytes.numbers(monitoredLosses)
    bytes.floats(memory.parameters.pointer, network.parameterCount)
    for state in memory.optimizerState { bytes.floats(state.pointer, network.parameterCount) }
    if let bestWeights { bytes.floats(bestWeights.pointer, network.parameterCount) }
    return bytes.bytes
  }

  /// Goes on where a checkpoint of the same network, rows and options was made; before the first
  /// epoch. Errors: bytes that are no checkpoint, or one of another network or optimizer; the trainer
  /// is then as it was.
  package func resume(from bytes: [UInt8]) throws {
    var reader = CheckpointReader(bytes)
    guard epoch == 0, reader.text() == Self.checkpointMark else { throw Self.noCheckpoint() }
    guard let name = reader.text(), let sizes = reader.integers(2), name == optimizer.name,
      sizes[0] == network.parameterCount, sizes[1] == memory.optimizerState.count
    else { throw Self.otherCheckpoint() }
    let count = network.parameterCount
    guard let places = reader.integers(4), places[0] >= 0, places[1] >= 0, places[2] >= 0,
      let sums = reader.numbers(2),
      let losses = reader.integers(1).flatMap({ reader.numbers($0[0]) }),
      reader.left == 4 * count * (1 + memory.optimizerState.count + (places[3] == 0 ? 0 : 1))
    else { throw Self.noCheckpoint() }
    let best = places[3] == 0 ? nil : try FloatBuffer(count: count)
    reader.floats(into: memory.parameters.pointer, count)
    for state in memory.optimizerState { reader.floats(into: state.pointer, count) }
    if let best {
      reader.floats(into: best.pointer, count)
      bestWeights = try Weights(network: network, copying: best.pointer)
    }
    (epoch, stepNumber, epochsWithoutGain) = (places[0], places[1], places[2])
    (bestLoss, totalSeconds) = (sums[0], sums[1])
    monitoredLosses = losses
  }

  private static var checkpointMark: String { "apus training 1" }

  private static func noCheckpoint() -> SQLError {
    SQLError(.model, "the checkpoint is damaged: training cannot go on from it")
  }
  private static func otherCheckpoint() -> SQLError {
    SQLError(
      .model, "the checkpoint is of another network or optimizer: training cannot go on from it")
  }
}

/// Values one after the other, little-endian.
private struct CheckpointWriter {
  var bytes: [UInt8] = []

  mutating func integers(_ values: [Int]) {
    for value in values { word(UInt64(bitPattern: Int64(value))) }
  }

  mutating func numbers(_ values: [Double]) {
    for value in values { word(value.bitPattern) }
  }

  mutating func text(_ text: String) {
    integers([text.utf8.count])
    bytes += text.utf8
  }

  mutating func floats(_ values: UnsafePointer<Float>, _ count: Int) {
    bytes.append(contentsOf: UnsafeRawBufferPointer(start: values, count: 4 * count))
  }

  private mutating func word(_ word: UInt64) {
    withUnsafeBytes(of: word.littleEndian) { bytes.append(contentsOf: $0) }
  }
}

/// Reads what `CheckpointWriter` wrote; nil where the bytes end before.
private struct CheckpointReader {
  private let bytes: [UInt8]
  private var position = 0

  init(_ bytes: [UInt8]) {
    self.bytes = bytes
  }

  var left: Int { bytes.count - position }

  mutating func integers(_ count: Int) -> [Int]? {
    words(count)?.map { Int(truncatingIfNeeded: $0) }
  }

  mutating func numbers(_ count: Int) -> [Double]? {
    words(count)?.map { Double(bitPattern: $0) }
  }

  mutating func text() -> String? {
    guard let count = integers(1)?[0], count >= 0, count <= left else { return nil }
    defer { position += count }
    return String(decoding: bytes[position..<position + count], as: UTF8.self)
  }

  /// SAFETY: the caller has compared `left` with what it reads.
  mutating func floats(into target: UnsafeMutablePointer<Float>, _ count: Int) {
    bytes.withUnsafeBytes { source in
      UnsafeMutableRawBufferPointer(start: target, count: 4 * count)
        .copyMemory(from: UnsafeRawBufferPointer(rebasing: source[position..<position + 4 * count]))
    }
    position += 4 * count
  }

  private mutating func words(_ count: Int) -> [UInt64]? {
    guard count >= 0, count <= left / 8 else { return nil }
    defer { position += 8 * count }
    return (0..<count).map { index in
      (0..<8).reduce(0) { $0 | UInt64(bytes[position + 8 * index + $1]) << UInt64(8 * $1) }
    }
  }
}
