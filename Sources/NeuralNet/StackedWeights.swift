import Diagnostics

/// The weights of several networks of one shape in one file: each tensor has a first axis over the
/// networks, as `torch.func.stack_module_state` makes them.
extension Weights {
  /// `all` stacked, in their order: shapes [networks, …]. They are of one network.
  package static func stacked(_ all: [Weights]) -> [NamedTensor] {
    guard let first = all.first else { return [] }
    return first.parameters.map { parameter in
      var values: [Float] = []
      values.reserveCapacity(all.count * parameter.count)
      for weights in all {
        values.append(
          contentsOf: UnsafeBufferPointer(
            start: weights.pointer + parameter.offset, count: parameter.count))
      }
      return NamedTensor(
        name: parameter.name, shape: [all.count] + parameter.shape, values: values)
    }
  }

  /// Whether one of the tensors is one of these weights for each of `count` networks.
  package func fits(stacked tensors: [NamedTensor], count: Int) -> Bool {
    tensors.contains { tensor in
      parameters.contains { $0.name == tensor.name && tensor.shape == [count] + $0.shape }
    }
  }

  /// The weights of each of `count` networks, from what `stacked` gave. Errors: tensors that are
  /// missing or of other shapes.
  package static func unstacked(_ tensors: [NamedTensor], count: Int, network: Network) throws
    -> [Weights]
  {
    if count == 0 { return [] }
    let buffers = try (0..<count).map { _ in try FloatBuffer(count: network.parameterCount) }
    for parameter in network.parameters {
      guard let tensor = tensors.first(where: { $0.name == parameter.name }) else {
        throw SQLError(.model, "the weight \"\(parameter.name)\" is missing")
      }
      guard tensor.shape == [count] + parameter.shape,
        tensor.values.count == count * parameter.count
      else {
        throw wrongShape(
          parameter.name, expected: [count] + parameter.shape, actual: tensor.shape)
      }
      tensor.values.withUnsafeBufferPointer { values in
        guard let start = values.baseAddress else { return }
        for (index, buffer) in buffers.enumerated() {
          (buffer.pointer + parameter.offset).update(
            from: start + index * parameter.count, count: parameter.count)
        }
      }
    }
    return try buffers.map { try Weights(network: network, copying: $0.pointer) }
  }
}

extension NamedTensor {
  /// What the first axis has at an index; the tensor itself where there is no such axis.
  package func part(_ index: Int) -> NamedTensor {
    guard let count = shape.first, index < count, count > 0, values.count % count == 0 else {
      return self
    }
    let size = values.count / count
    return NamedTensor(
      name: name, shape: Array(shape.dropFirst()),
      values: Array(values[index * size..<(index + 1) * size]))
  }
}
