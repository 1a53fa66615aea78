import Diagnostics

/// A state dict as `torch.save` writes it: a zip file with a pickle that names tensors, and the
/// tensors' values as entries beside it.
package enum PyTorchFile {
  /// The tensors of a file. Errors: anything malformed or truncated, an object that is no tensor;
  /// nothing in the bytes is trusted, and nothing is executed.
  package static func read(_ bytes: [UInt8]) throws -> [NamedTensor] {
    guard bytes.starts(with: [0x50, 0x4B, 3, 4]) else {
      throw SQLError(
        .model, "this is no valid PyTorch file: it is no zip file",
        hint: "torch.save of PyTorch 1.6 and later writes one")
    }
    let archive = try ZipArchive(bytes)
    guard
      let pickle = archive.names.first(where: { $0.hasSuffix("/data.pkl") || $0 == "data.pkl" }),
      let content = archive[pickle]
    else { throw ZipArchive.malformed("it has no data.pkl") }
    let folder = String(pickle.dropLast("data.pkl".count))
    if let order = archive[folder + "byteorder"], order.elementsEqual("big".utf8) {
      throw ZipArchive.malformed("its numbers are big-endian")
    }
    guard case .dictionary(let box) = try PickleReader.read(content) else {
      throw SQLError(
        .model, "the file holds no tensors by name",
        hint: "in Python: torch.save(model.state_dict(), 'weights.pth')")
    }
    return try tensors(in: box).map { name, tensor in
      NamedTensor(
        name: name, shape: tensor.shape,
        values: try values(of: tensor, name, archive[folder + "data/" + tensor.key]))
    }
  }

  /// Those of a state dict, which may be part of a checkpoint.
  private static func tensors(in box: PickleBox) throws -> [(String, PickleTensor)] {
    var found: [(String, PickleTensor)] = []
    for (key, value) in box.entries {
      if case .tensor(let tensor) = value, let name = key.text { found.append((name, tensor)) }
    }
    if !found.isEmpty { return found }
    for (key, value) in box.entries {
      if ["state_dict", "model_state_dict", "model"].contains(key.text),
        case .dictionary(let inner) = value
      {
        return try tensors(in: inner)
      }
    }
    throw SQLError(
      .model, "the file holds no tensors by name",
      hint: "in Python: torch.save(model.state_dict(), 'weights.pth')")
  }

  private static func values(
    of tensor: PickleTensor, _ name: String, _ storage: ArraySlice<UInt8>?
  ) throws -> [Float] {
    guard let storage, let element = Safetensors.elementTypes[tensor.type] else {
      throw ZipArchive.malformed("tensor \"\(name)\" has no values")
    }
    let available = storage.count / element.size
    let count = try Shape(tensor.shape).elementCount()
    if count == 0 { return [] }
    // The last value that the shape and the strides lead to.
    var last = tensor.offset
    for (extent, stride) in zip(tensor.shape, tensor.strides) {
      let (step, overflow) = (extent - 1).multipliedReportingOverflow(by: stride)
      let (sum, second) = last.addingReportingOverflow(step)
      guard stride >= 0, !overflow, !second else {
        throw ZipArchive.malformed("tensor \"\(name)\" lies outside its values")
      }
      last = sum
    }
    guard tensor.offset >= 0, last < available else {
      throw ZipArchive.malformed("tensor \"\(name)\" lies outside its values")
    }
    var result: [Float] = []
    result.reserveCapacity(count)
    var index = [Int](repeating: 0, count: tensor.shape.count)
    storage.withUnsafeBytes { raw in
      for _ in 0..<count {
        let place = zip(index, tensor.strides).reduce(tensor.offset) { $0 + $1.0 * $1.1 }
        result.append(element.load(raw, place * element.size))
        var axis = index.count - 1
        while axis >= 0 {
          index[axis] += 1
          if index[axis] < tensor.shape[axis] { break }
          index[axis] = 0
          axis -= 1
        }
      }
    }
    return result
  }

  // MARK: Writing

  /// The bytes of a file with these tensors; `torch.load(path)` gives a state dict of them.
  package static func write(_ tensors: [NamedTensor]) -> [UInt8] {
    var entries: [(name: String, data: [UInt8])] = [
      ("archive/data.pkl", pickle(tensors)), ("archive/byteorder", Array("little".utf8)),
    ]
    for (index, tensor) in tensors.enumerated() {
      entries.append(
        ("archive/data/\(index)", tensor.values.withUnsafeBytes { Array($0) }))
    }
    entries.append(("archive/version", Array("3\n".utf8)))
    return ZipArchive.write(entries)
  }

  private static func pickle(_ tensors: [NamedTensor]) -> [UInt8] {
    var out: [UInt8] = [0x80, 2]
    func put(_ text: String) { out += Array(text.utf8) }
    func global(_ module: String, _ name: String) { put("c\(module)\n\(name)\n") }
    func text(_ value: String) {
      out.append(UInt8(ascii: "X"))
      withUnsafeBytes(of: UInt32(truncatingIfNeeded: value.utf8.count).littleEndian) { out += $0 }
      put(value)
    }
    func integer(_ value: Int) {
      if let small = Int32(exactly: value) {
        out.append(UInt8(ascii: "J"))
        withUnsafeBytes(of: small.littleEndian) { out += $0 }
      } else {
        out += [0x8a, 8]
        withUnsafeBytes(of: Int64(value).littleEndian) { out += $0 }
      }
    }
    func tuple(_ values: [Int]) {
      put("(")
      for value in values { integer(value) }
      put("t")
    }
    global("collections", "OrderedDict")
    put(")R(")
    for (index, tensor) in tensors.enumerated() {
      text(tensor.name)
      global("torch._utils", "_rebuild_tensor_v2")
      put("((")
      text("storage")
      global("torch", "FloatStorage")
      text("\(index)")
      text("cpu")
      integer(tensor.values.count)
      put("tQ")
      integer(0)
      tuple(tensor.shape)
      tuple(contiguous(tensor.shape))
      out.append(0x89)
      global("collections", "OrderedDict")
      put(")RtR")
    }
    put("u.")
    return out
  }

  /// The strides of rows one behind the other.
  private static func contiguous(_ shape: [Int]) -> [Int] {
    var strides = [Int](repeating: 1, count: shape.count)
    for axis in stride(from: shape.count - 2, through: 0, by: -1) {
      strides[axis] = strides[axis + 1] &* shape[axis + 1]
    }
    return strides
  }
}
