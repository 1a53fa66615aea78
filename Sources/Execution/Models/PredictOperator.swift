import Columnar
import Diagnostics
import NeuralNet
import Planner

/// Runs a model over batches and adds its results as columns. Rows with a NULL input give NULL.
///
/// Columns go to the network as they lie: no row is assembled. Every row is run, also where a
/// dictionary column has fewer distinct values than rows.
final class PredictOperator: BatchSource {
  private let input: any BatchSource
  /// How many of the input's columns are passed on.
  private let passed: Int
  private let arguments: [Int]
  private let model: Model
  private let predictor: Predictor
  private let scratch: PredictorScratch
  private let outputs: [(form: PredictExpression.Form, type: LogicalType)]
  private let width: Int
  private var probabilities: Buffer

  init(
    input: any BatchSource, passed: Int, arguments: [Int], model: Model,
    outputs: [(PredictExpression.Form, LogicalType)]
  ) throws {
    guard let predictor = model.predictor else {
      throw SQLError(.model, "model \"\(model.name)\" has not been trained")
    }
    self.input = input
    self.passed = passed
    self.arguments = arguments
    self.model = model
    self.predictor = predictor
    self.outputs = outputs.map { (form: $0.0, type: $0.1) }
    scratch = try predictor.makeScratch()
    width = predictor.outputWidth
    probabilities = Buffer(byteCount: 0)
  }

  func next() throws -> Batch? {
    guard let batch = try input.next() else { return nil }
    let rows = batch.rowCount
    let features = try FeatureColumns(arguments.map { batch.columns[$0] }, rows: rows)
    if probabilities.byteCount < rows * width * 4 {
      probabilities = Buffer(byteCount: rows * width * 4)
    }
    let raw = probabilities.pointer.assumingMemoryBound(to: Float.self)
    features.withPointers { pointers in
      predictor.predict(rows: rows, columns: pointers, rowMajor: raw, scratch: scratch)
    }
    var columns = Array(batch.columns[0..<passed])
    for output in outputs {
      let column = try self.column(output.form, output.type, raw, rows)
      columns.append(arguments.reduce(column) { $0.withNulls(of: batch.columns[$1]) })
    }
    return Batch(columns: columns, rowCount: rows, sequence: batch.sequence)
  }

  private func column(
    _ form: PredictExpression.Form, _ type: LogicalType, _ raw: UnsafeMutablePointer<Float>,
    _ rows: Int
  ) throws -> Column {
    switch form {
    case .predict where model.definition.outputKind == .number: return try numbers(type, raw, rows)
    case .predict: return try classes(type, raw, rows)
    case .probability(let index):
      let column = Column(flat: .float, count: rows)
      let target = column.values(as: Float.self)
      for row in 0..<rows {
        target[row] =
          width == 1 ? (index == 1 ? raw[row] : 1 - raw[row]) : raw[row * width + index]
      }
      return column
    case .probabilities:
      let count = max(width, 2)
      let elements = Column(flat: .float, count: rows * count)
      let target = elements.values(as: Float.self)
      let column = Column(flat: type, count: rows, children: [elements])
      let entries = column.values(as: ListEntry.self)
      for row in 0..<rows {
        entries[row] = ListEntry(offset: row * count, length: count)
        if width == 1 {
          target[row * 2] = 1 - raw[row]
          target[row * 2 + 1] = raw[row]
        } else {
          (target + row * width).update(from: raw + row * width, count: width)
        }
      }
      return column
    }
  }

  private func numbers(_ type: LogicalType, _ raw: UnsafeMutablePointer<Float>, _ rows: Int) throws
    -> Column
  {
    let flat = Column(flat: .float, count: rows * width)
    flat.values(as: Float.self).update(from: raw, count: rows * width)
    if width == 1, type.elementType == nil {
      return type == .float ? flat : try castColumn(flat, to: type)
    }
    let matrix = Column(
      flat: .array(.float, count: width), count: rows, children: [flat])
    return matrix.type == type ? matrix : try castColumn(matrix, to: type)
  }

  private func classes(_ type: LogicalType, _ raw: UnsafeMutablePointer<Float>, _ rows: Int) throws
    -> Column
  {
    var builder = ColumnBuilder(type, capacity: model.classes.count)
    for value in model.classes { try builder.append(value) }
    let picks = Selection(capacity: rows)
    if width == 1 {
      let threshold = model.definition.threshold
      for row in 0..<rows { picks.indices[row] = raw[row] > threshold ? 1 : 0 }
    } else {
      for row in 0..<rows {
        let scores = raw + row * width
        var best = 0
        for index in 1..<width where scores[index] > scores[best] { best = index }
        picks.indices[row] = UInt32(best)
      }
    }
    return Column.dictionary(builder.finish(), picks).flattened()
  }
}
