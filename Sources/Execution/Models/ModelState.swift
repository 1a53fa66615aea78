import Columnar
import Diagnostics
import Functions

/// What TRAIN finds besides the weights, and a version keeps.
package struct ModelState: Sendable {
  /// Of each output: values of its type, in the order of the network's units.
  package var classes: [[Value]] = []
  /// What each step of TRANSFORM was fitted to; nil where it learns nothing.
  var transforms: [ModelJSON?] = []
  /// Of the networks that FOR EACH made; nil: there is one.
  var keys: ModelKeys?
  /// How it was trained; nil for weights that came from elsewhere.
  var receipt: TrainingReceipt?

  package init(classes: [[Value]] = []) { self.classes = classes }

  /// From what `json` gave.
  init(json: String, _ definition: ModelDefinition) throws {
    guard let root = ModelJSON(parsing: json) else { throw Self.damaged() }
    classes = try definition.outputs.map { output in
      guard let list = root["classes"]?[output.field.name] else { return [] }
      guard let texts = list.texts else { throw Self.damaged() }
      return try Self.values(of: texts, output.field.type)
    }
    if let steps = root["transforms"] {
      guard let steps = steps.items, steps.count == definition.transform.steps.count else {
        throw Self.damaged()
      }
      transforms = steps.map { if case .null = $0 { nil } else { $0 } }
    }
    keys = try root["keys"].map { try ModelKeys($0) }
    receipt = root["receipt"].flatMap { TrainingReceipt($0) }
  }

  /// As JSON, values as SQL writes them.
  func json(_ definition: ModelDefinition) throws -> String {
    var members: [(key: String, value: ModelJSON)] = []
    var known: [(key: String, value: ModelJSON)] = []
    for (output, values) in zip(definition.outputs, classes) where !values.isEmpty {
      let texts = try Self.texts(of: values, output.field.type)
      known.append((output.field.name, .array(texts.map { .text($0) })))
    }
    if !known.isEmpty { members.append(("classes", .object(known))) }
    if !transforms.isEmpty {
      members.append(("transforms", .array(transforms.map { $0 ?? .null })))
    }
    if let keys { members.append(("keys", try keys.json())) }
    if let receipt { members.append(("receipt", receipt.json)) }
    return ModelJSON.object(members).written
  }

  /// Values of a type as SQL writes them.
  static func texts(of values: [Value], _ type: LogicalType) throws -> [String] {
    if values.isEmpty { return [] }
    var builder = ColumnBuilder(type, capacity: values.count)
    for value in values { try builder.append(value) }
    let texts = ValueText.text(of: builder.finish())
    return (0..<values.count).map {
      texts.values(as: StringView.self)[texts.valueIndex($0)].string
    }
  }

  /// Values of a type from their texts.
  static func values(of texts: [String], _ type: LogicalType) throws -> [Value] {
    if texts.isEmpty { return [] }
    var builder = ColumnBuilder(.varchar, capacity: texts.count)
    for text in texts { try builder.append(.varchar(text)) }
    let column = try castColumn(builder.finish(), to: type)
    return (0..<texts.count).map { column.value($0) }
  }

  private static func damaged() -> SQLError {
    SQLError(.model, "the state of this model is damaged")
  }
}
