import Columnar
import Diagnostics
import Planner
import Syntax

/// Runs a version of a model over columns that a program has, without a query. Used by one thread.
package final class ModelRunner {
  package let model: Model
  private let feed = BatchFeed()
  private let predictions: any RewindableSource
  private let hasClasses: Bool

  /// For the output of that number.
  package init(_ model: Model, output: Int) throws {
    self.model = model
    let definition = model.definition.outputs[output]
    hasClasses = definition.kind != .number
    let references = (model.inputs + model.keys).enumerated().map {
      ColumnReference(id: $0, name: $1.name, type: $1.type)
    }
    let layout = Dictionary(uniqueKeysWithValues: references.indices.map { ($0, $0) })
    let count = model.inputs.count
    let arguments =
      model.features(of: references.prefix(count).map { .column($0) })
      + references.dropFirst(count).map { .column($0) }
    let values = ProjectOperator(
      input: feed, items: try arguments.map { try ExpressionEvaluator($0, layout: layout) })
    let width = ModelDefinition.width(of: definition.field.type)
    let forms: [(PredictExpression.Form, LogicalType)] =
      hasClasses
      ? [
        (.probabilities(output: output), .list(.float)),
        (.value(output: output, threshold: nil), definition.field.type),
      ] : [(.value(output: output, threshold: nil), .array(.float, count: width))]
    if let groups = model.groups {
      predictions = try GroupedPredictOperator(
        input: values, passed: 0, arguments: Array(arguments.indices), model: model,
        groups: groups, outputs: forms)
    } else {
      predictions = try PredictOperator(
        input: values, passed: 0, arguments: Array(arguments.indices), model: model,
        outputs: forms)
    }
  }

  /// What the output gives for `rows` rows of the inputs in their order and of the keys behind them,
  /// whose columns are cast as PREDICT casts them: its floats row by row, or the probabilities of its
  /// classes and the likeliest one's text. Rows with a NULL, and those whose keys have no network,
  /// give NaN and no class.
  package func run(_ inputs: [Column], rows: Int) throws -> (
    values: [Float], width: Int, classes: [String?]?
  ) {
    if rows == 0 { return ([], 0, hasClasses ? [] : nil) }
    let columns = try zip(inputs, model.inputs + model.keys).map {
      try castColumn($0, to: $1.type)
    }
    feed.batch = Batch(columns: columns, rowCount: rows)
    guard let made = try predictions.next() else {
      throw SQLError(.internal, "model \(model.name) gave no rows")
    }
    _ = predictions.rewind()
    let first = made.columns[0].flattened()
    let leaf = first.children[0].flattened()
    let width = leaf.count / rows
    let source = leaf.values(as: Float.self)
    var values = [Float](unsafeUninitializedCapacity: rows * width) { buffer, count in
      if let target = buffer.baseAddress { target.initialize(from: source, count: rows * width) }
      count = rows * width
    }
    withExtendedLifetime(leaf) {}
    for row in 0..<rows where first.isNull(row) {
      for place in row * width..<(row + 1) * width { values[place] = .nan }
    }
    guard hasClasses else { return (values, width, nil) }
    let texts = ValueText.text(of: made.columns[1])
    return (
      values, width,
      (0..<rows).map { row in
        texts.isNull(row)
          ? nil : texts.values(as: StringView.self)[texts.valueIndex(row)].string
      }
    )
  }
}

/// One batch that is set from outside, once for each reading.
private final class BatchFeed: RewindableSource {
  var batch: Batch?

  func rewind() -> Bool { true }

  func next() throws -> Batch? {
    defer { batch = nil }
    return batch
  }
}

extension Session {
  /// The version of a model that PREDICT would take now.
  package func trainedModel(_ name: String) throws -> Model {
    if transaction == nil { state = try database.snapshot().withTemporary(of: state) }
    defer { if transaction == nil { state.snapshots = [] } }
    let span = SourceSpan(0, 0)
    let reference = ModelReference(
      name: QualifiedName(Identifier(name: name, quoted: true, span: span)), span: span)
    do {
      let model = try catalog().modelVersion(reference)
      if model.isTrained { return model }
      throw SQLError(.model, "model \"\(name)\" has not been trained")
    } catch var error as SQLError {
      error.span = nil
      throw error
    }
  }
}
