import Diagnostics

/// The weights of a network: one flat float vector with named views. A value type: copies share
/// memory until one of them is written.
package struct Weights: Sendable {
  package let parameters: [ParameterInfo]
  package let count: Int
  private var buffer: FloatBuffer

  /// Fresh weights; the same seed gives the same values everywhere.
  package init(network: Network, initializer: Initializer = .pytorch, seed: UInt64 = 0) throws {
    self.parameters = network.parameters
    self.count = network.parameterCount
    let buffer = try FloatBuffer(count: network.parameterCount)
    for (index, parameter) in network.parameters.enumerated() {
      initializer.fill(
        buffer.pointer + parameter.offset, count: parameter.count, role: parameter.role,
        seed: seed, index: index)
    }
    self.buffer = buffer
  }

  /// From raw little-endian float32, as `bytes` gives them.
  package init(network: Network, bytes: [UInt8]) throws {
    self.parameters = network.parameters
    self.count = network.parameterCount
    let buffer = try FloatBuffer(count: count)
    guard bytes.count == count * 4 else { throw Self.wrongSize(bytes.count, count * 4) }
    bytes.withUnsafeBytes { source in
      if let base = source.baseAddress {
        // SAFETY: sizes were compared above.
        UnsafeMutableRawPointer(buffer.pointer).copyMemory(from: base, byteCount: bytes.count)
      }
    }
    self.buffer = buffer
  }

  /// A copy of a flat vector of the network's size.
  init(network: Network, copying source: UnsafePointer<Float>) throws {
    self.parameters = network.parameters
    self.count = network.parameterCount
    buffer = try FloatBuffer(copying: source, count: count)
  }

  /// Puts a flat vector of the network's size in the place of all values, if nobody shares them; says
  /// whether it did.
  mutating func overwrite(from source: UnsafePointer<Float>) -> Bool {
    guard isKnownUniquelyReferenced(&buffer) else { return false }
    buffer.pointer.update(from: source, count: count)
    return true
  }

  package var names: [String] { parameters.map(\.name) }

  /// Raw little-endian float32, all parameters in order.
  package var bytes: [UInt8] {
    Array(UnsafeRawBufferPointer(start: buffer.pointer, count: count * 4))
  }

  /// The values of a parameter in PyTorch's layout; nil for an unknown name.
  package func tensor(_ name: String) -> [Float]? {
    guard let parameter = parameters.first(where: { $0.name == name }) else { return nil }
    return Array(
      UnsafeBufferPointer(start: buffer.pointer + parameter.offset, count: parameter.count))
  }

  /// Replaces a parameter. Errors: unknown name, another shape, another number of values.
  package mutating func setTensor(_ name: String, shape: [Int], values: [Float]) throws {
    guard let parameter = parameters.first(where: { $0.name == name }) else {
      throw Self.unknown(name, among: names)
    }
    guard parameter.shape == shape, parameter.count == values.count else {
      throw Self.wrongShape(name, expected: parameter.shape, actual: shape)
    }
    if !isKnownUniquelyReferenced(&buffer) { buffer = try buffer.copy() }
    values.withUnsafeBufferPointer { source in
      if let base = source.baseAddress {
        (buffer.pointer + parameter.offset).update(from: base, count: parameter.count)
      }
    }
  }

  /// SAFETY: valid while this value (or a copy) lives and nobody writes to it.
  var pointer: UnsafePointer<Float> { UnsafePointer(buffer.pointer) }
  var storage: FloatBuffer { buffer }

  private static func wrongSize(_ actual: Int, _ expected: Int) -> SQLError {
    SQLError(.model, "the weights take \(expected) bytes, got \(actual)")
  }

  static func unknown(_ name: String, among names: [String]) -> SQLError {
    SQLError(
      .model, "the network has no weight named \"\(name)\"", hint: didYouMean(name, among: names))
  }

  static func wrongShape(_ name: String, expected: [Int], actual: [Int]) -> SQLError {
    SQLError(
      .model, "weight \"\(name)\": expected shape \(Shape(expected)), got \(Shape(actual))")
  }
}
