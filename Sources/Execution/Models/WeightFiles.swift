import Columnar
import Diagnostics
import Formats
import NeuralNet
import Syntax

/// The files that weights come from and go to.
enum WeightFormat: String, CaseIterable {
  case safetensors, pytorch

  /// By the option FORMAT, else by the ending of the path.
  init(_ name: String?, path: String, at span: SourceSpan) throws {
    if let name {
      if let format = WeightFormat(rawValue: name.lowercased()) {
        self = format
        return
      }
      if ["onnx", "keras"].contains(name.lowercased()) {
        throw SQLError(.notSupported, "not supported yet: the format \(name)", at: span)
      }
      throw SQLError(
        .model, "there is no format \"\(name)\" for weights", at: span,
        hint: didYouMean(name, among: WeightFormat.allCases.map(\.rawValue)))
    }
    let ending = path.split(separator: ".").last.map { $0.lowercased() }
    switch ending {
    case "safetensors": self = .safetensors
    case "pt", "pth", "bin": self = .pytorch
    default:
      throw SQLError(
        .model, "the name of the file does not say its format", at: span,
        hint: "(FORMAT safetensors) or (FORMAT pytorch)")
    }
  }

  func read(_ bytes: [UInt8]) throws -> [NamedTensor] {
    switch self {
    case .safetensors: try Safetensors.read(bytes)
    case .pytorch: try PyTorchFile.read(bytes)
    }
  }

  func write(_ tensors: [NamedTensor]) -> [UInt8] {
    switch self {
    case .safetensors: Safetensors.write(tensors)
    case .pytorch: PyTorchFile.write(tensors)
    }
  }
}

extension ModelEntry {
  /// LOAD WEIGHTS: a new version with the weights of a file, and what the version in use knows
  /// besides. STRICT false takes what fits by name, and leaves the rest as it is. Tensors with an axis
  /// over the networks that a version has by key (what EXPORT MODEL gives) are theirs.
  mutating func load(_ path: String, _ options: [CopyOption], at span: SourceSpan) throws {
    let (format, values) = try CopyValues.read(options)
    var isStrict = true
    for option in values {
      guard option.name.lowercased() == "strict", case .boolean(let flag) = option.value else {
        throw SQLError(
          .model, "LOAD WEIGHTS has no option \"\(option.name)\" like this", at: span,
          hint: "(FORMAT pytorch, STRICT true)")
      }
      isStrict = flag
    }
    let start = current
    if !start.isTrained, definition.transform.needsFit {
      throw SQLError(
        .model, "TRANSFORM of model \"\(definition.name)\" has not been fitted: TRAIN it first",
        at: span)
    }
    for (output, classes) in zip(definition.outputs, start.state.classes)
    where output.kind != .number && classes.isEmpty {
      throw SQLError(
        .model,
        "the classes of output \"\(output.field.name)\" are not known: nothing has been trained",
        at: span, hint: "OUTPUT (\(output.field.name) \(output.field.type) CLASSES (…))")
    }
    let kind = try WeightFormat(format, path: path, at: span)
    let tensors: [NamedTensor]
    do {
      let file = try FileBytes(path: path, compression: .none)
      tensors = try kind.read(Array(UnsafeBufferPointer(start: file.start, count: file.count)))
    } catch let error as SQLError {
      throw error.placed(at: span)
    }
    var weights =
      try start.weights
      ?? Weights(
        network: start.network, initializer: definition.options.training.initializer,
        seed: definition.options.training.seed)
    guard
      tensors.contains(where: { tensor in
        weights.tensors.contains { $0.name == tensor.name }
      })
    else {
      throw SQLError(
        .model, "nothing in the file fits the network by name", at: span,
        hint: "the network has " + weights.tensors.map(\.name).prefix(8).joined(separator: ", "))
    }
    var state = start.state
    state.receipt = nil
    do {
      if let groups = start.groups, weights.fits(stacked: tensors, count: groups.weights.count) {
        let loaded = try groups.weights.enumerated().map { index, weights in
          var weights = weights
          try weights.load(tensors.map { $0.part(index) }, strict: isStrict)
          return weights
        }
        try add(
          weights: nil,
          groups: ModelGroups(keys: groups.keys, weights: loaded, epochs: loaded.map { _ in [] }),
          state: state, epochs: [])
        return
      }
      try weights.load(tensors, strict: isStrict)
    } catch let error as SQLError {
      throw error.placed(at: span)
    }
    state.keys = nil
    try add(weights: weights, state: state, epochs: [])
  }
}

extension Session {
  func run(_ export: ExportModel) throws -> StatementResult {
    let model = try catalog().modelVersion(export.model)
    guard model.isTrained else {
      throw SQLError(
        .model, "model \"\(model.name)\" has not been trained", at: export.model.span)
    }
    let (format, values) = try CopyValues.read(export.options)
    if let option = values.first {
      throw SQLError(
        .model, "EXPORT MODEL has no option \"\(option.name)\"", at: export.pathSpan,
        hint: "(FORMAT safetensors)")
    }
    let bytes = try WeightFormat(format, path: export.path, at: export.pathSpan).write(
      model.tensors)
    let file = try OutputFile(path: export.path)
    do {
      try bytes.withUnsafeBytes { try file.write($0) }
      try file.finish()
    } catch {
      file.abort()
      throw error
    }
    return .none
  }
}
