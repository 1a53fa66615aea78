import Diagnostics

/// A named float tensor of a weight file.
package struct NamedTensor: Sendable {
  package var name: String
  package var shape: [Int]
  package var values: [Float]

  package init(name: String, shape: [Int], values: [Float]) {
    self.name = name
    self.shape = shape
    self.values = values
  }
}

/// The safetensors format: 8 bytes of header length, a JSON header, raw little-endian data.
/// https://github.com/huggingface/safetensors
package enum Safetensors {
  /// The tensors of a file, as float32. F64, F16, BF16 and integers up to 64 bits are converted.
  /// Errors: anything malformed; nothing in the bytes is trusted.
  package static func read(_ bytes: [UInt8]) throws -> [NamedTensor] {
    guard bytes.count >= 8 else { throw malformed("it is shorter than 8 bytes") }
    let length = bytes[0..<8].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    guard length <= 100_000_000, Int(length) <= bytes.count - 8 else {
      throw malformed("its header is longer than the file")
    }
    let dataStart = 8 + Int(length)
    guard case .object(let members) = HeaderJSON.parse(bytes[8..<dataStart]) else {
      throw malformed("its header is not a JSON object")
    }
    var tensors: [NamedTensor] = []
    for (name, entry) in members where name != "__metadata__" {
      guard case .text(let type) = entry["dtype"], let shape = entry["shape"]?.integers,
        let offsets = entry["data_offsets"]?.integers, offsets.count == 2,
        offsets[0] <= offsets[1], offsets[1] <= bytes.count - dataStart
      else { throw malformed("tensor \"\(name)\" has a wrong entry") }
      guard let element = elementTypes[type] else {
        throw SQLError(.model, "tensor \"\(name)\" has the unsupported type \(type)")
      }
      let count = try Shape(shape).elementCount()
      guard offsets[1] - offsets[0] == count * element.size else {
        throw malformed("tensor \"\(name)\" has \(offsets[1] - offsets[0]) bytes for its shape")
      }
      let base = dataStart + offsets[0]
      let values = bytes.withUnsafeBytes { raw in
        (0..<count).map { element.load(raw, base + $0 * element.size) }
      }
      tensors.append(NamedTensor(name: name, shape: shape, values: values))
    }
    return tensors
  }

  /// The bytes of a file with these tensors, as F32, in their order.
  package static func write(_ tensors: [NamedTensor]) -> [UInt8] {
    var header = "{"
    var offset = 0
    for (index, tensor) in tensors.enumerated() {
      let end = offset + tensor.values.count * 4
      if index > 0 { header += "," }
      header += "\"\(escaped(tensor.name))\":{\"dtype\":\"F32\",\"shape\":["
      header += tensor.shape.map(String.init).joined(separator: ",")
      header += "],\"data_offsets\":[\(offset),\(end)]}"
      offset = end
    }
    header += "}"
    var text = Array(header.utf8)
    while text.count % 8 != 0 { text.append(0x20) }
    var bytes = withUnsafeBytes(of: UInt64(text.count).littleEndian) { Array($0) }
    bytes += text
    bytes.reserveCapacity(bytes.count + offset)
    for tensor in tensors {
      tensor.values.withUnsafeBytes { bytes.append(contentsOf: $0) }
    }
    return bytes
  }

  struct ElementType: Sendable {
    let size: Int
    /// SAFETY: reads `size` bytes at the offset, which the caller has checked.
    let load: @Sendable (UnsafeRawBufferPointer, Int) -> Float
  }

  static let elementTypes: [String: ElementType] = [
    "F64": ElementType(size: 8) { Float($0.loadUnaligned(fromByteOffset: $1, as: Double.self)) },
    "F32": ElementType(size: 4) { $0.loadUnaligned(fromByteOffset: $1, as: Float.self) },
    "F16": ElementType(size: 2) {
      halfToFloat($0.loadUnaligned(fromByteOffset: $1, as: UInt16.self))
    },
    "BF16": ElementType(size: 2) {
      Float(bitPattern: UInt32($0.loadUnaligned(fromByteOffset: $1, as: UInt16.self)) << 16)
    },
    "I64": ElementType(size: 8) { Float($0.loadUnaligned(fromByteOffset: $1, as: Int64.self)) },
    "I32": ElementType(size: 4) { Float($0.loadUnaligned(fromByteOffset: $1, as: Int32.self)) },
    "U8": ElementType(size: 1) { Float($0[$1]) },
  ]

  /// IEEE 754 binary16, subnormals included.
  static func halfToFloat(_ half: UInt16) -> Float {
    let sign = UInt32(half & 0x8000) << 16
    let exponent = UInt32(half >> 10) & 0x1F
    let fraction = UInt32(half & 0x3FF)
    if exponent == 31 { return Float(bitPattern: sign | 0x7F80_0000 | fraction << 13) }
    if exponent == 0 {
      let value = Float(fraction) * 0x1p-24
      return sign == 0 ? value : -value
    }
    return Float(bitPattern: sign | (exponent + 112) << 23 | fraction << 13)
  }

  private static func escaped(_ name: String) -> String {
    var result = ""
    for scalar in name.unicodeScalars {
      switch scalar {
      case "\"": result += "\\\""
      case "\\": result += "\\\\"
      case _ where scalar.value < 0x20:
        let digits = String(scalar.value, radix: 16)
        result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }

  private static func malformed(_ reason: String) -> SQLError {
    SQLError(.model, "this is no valid safetensors file: \(reason)")
  }
}

extension Weights {
  /// All parameters as a safetensors file, with PyTorch's names and layout.
  package func safetensors() -> [UInt8] { Safetensors.write(tensors) }

  /// All parameters, in their order.
  package var tensors: [NamedTensor] {
    parameters.map {
      NamedTensor(name: $0.name, shape: $0.shape, values: tensor($0.name) ?? [])
    }
  }

  /// Takes the tensors over by name. Strict: no name may be missing or left over. On an error the
  /// weights stay as they were.
  package mutating func load(_ tensors: [NamedTensor], strict: Bool = true) throws {
    let wanted = Set(names)
    let given = Set(tensors.map(\.name))
    let missing = names.filter { !given.contains($0) }
    // PyTorch's batchnorm counts its batches; nothing here reads that.
    let unexpected = tensors.map(\.name).filter {
      !wanted.contains($0) && !$0.hasSuffix(".num_batches_tracked")
    }
    if strict, !missing.isEmpty || !unexpected.isEmpty {
      throw Self.mismatch(missing: missing, unexpected: unexpected)
    }
    var copy = self
    for tensor in tensors where wanted.contains(tensor.name) {
      try copy.setTensor(tensor.name, shape: tensor.shape, values: tensor.values)
    }
    self = copy
  }

  package mutating func load(safetensors bytes: [UInt8], strict: Bool = true) throws {
    try load(try Safetensors.read(bytes), strict: strict)
  }

  private static func mismatch(missing: [String], unexpected: [String]) -> SQLError {
    var parts: [String] = []
    if !missing.isEmpty { parts.append("missing: " + missing.joined(separator: ", ")) }
    if !unexpected.isEmpty { parts.append("unexpected: " + unexpected.joined(separator: ", ")) }
    return SQLError(
      .model, "the file does not fit the network; \(parts.joined(separator: "; "))",
      hint: "STRICT false loads what fits by name")
  }
}
