import Columnar
import Diagnostics
import Planner

/// Makes a column of what the network gives for an output: `range` of each row of `rowWidth` floats.
struct PredictedColumn {
  private let form: PredictExpression.Form
  private let type: LogicalType
  private let kind: ModelDefinition.OutputKind
  private let range: Range<Int>
  private let rowWidth: Int
  private let threshold: Float
  /// The classes as values, and as texts.
  private let classes: Column
  private let names: Column

  init(
    _ form: PredictExpression.Form, _ type: LogicalType, model: Model, range: Range<Int>,
    rowWidth: Int
  ) throws {
    self.form = form
    self.type = type
    self.range = range
    self.rowWidth = rowWidth
    let output = model.definition.outputs[form.output]
    kind = output.kind
    if case .value(_, let given?) = form {
      threshold = given
    } else {
      threshold = model.definition.options.threshold
    }
    var values = ColumnBuilder(output.field.type)
    for value in model.state.classes[form.output] { try values.append(value) }
    classes = values.finish()
    var texts = ColumnBuilder(.varchar)
    for name in model.classNames[form.output] { try texts.append(.varchar(name)) }
    names = texts.finish()
  }

  func column(_ raw: UnsafeMutablePointer<Float>, _ rows: Int) throws -> Column {
    switch form {
    case .gradient:
      throw SQLError(.internal, "a gradient is no output of the network")
    case .value where kind == .number: return try numbers(raw, rows)
    case .value: return picked(raw, rows)
    case .probability(_, let index):
      let column = Column(flat: .float, count: rows)
      let target = column.values(as: Float.self)
      for row in 0..<rows { target[row] = probability(raw, row, index) }
      return column
    case .probabilities: return lists(probabilities(raw, rows), rows)
    case .probabilityMap:
      let count = classes.count
      let keys = Selection(capacity: rows * count)
      for row in 0..<rows {
        for index in 0..<count { keys.indices[row * count + index] = UInt32(index) }
      }
      let entries = Column(
        flat: .mapEntry(.varchar, .float), count: rows * count,
        children: [
          Column.dictionary(names, keys).flattened(), probabilities(raw, rows),
        ])
      return lists(entries, rows)
    }
  }

  private func numbers(_ raw: UnsafeMutablePointer<Float>, _ rows: Int) throws -> Column {
    let width = range.count
    let flat = Column(flat: .float, count: rows * width)
    let target = flat.values(as: Float.self)
    if width == rowWidth {
      target.update(from: raw, count: rows * width)
    } else {
      for row in 0..<rows {
        (target + row * width).update(from: raw + row * rowWidth + range.lowerBound, count: width)
      }
    }
    if width == 1, type.elementType == nil {
      return type == .float ? flat : try castColumn(flat, to: type)
    }
    let matrix = Column(flat: .array(.float, count: width), count: rows, children: [flat])
    return matrix.type == type ? matrix : try castColumn(matrix, to: type)
  }

  private func picked(_ raw: UnsafeMutablePointer<Float>, _ rows: Int) -> Column {
    let picks = Selection(capacity: rows)
    let isBinary = range.count == 1
    for row in 0..<rows {
      let scores = raw + row * rowWidth + range.lowerBound
      if isBinary {
        picks.indices[row] = scores[0] > threshold ? 1 : 0
        continue
      }
      if range.count == 2, threshold != 0.5 {
        picks.indices[row] = scores[1] > threshold ? 1 : 0
        continue
      }
      var best = 0
      for index in 1..<range.count where scores[index] > scores[best] { best = index }
      picks.indices[row] = UInt32(best)
    }
    return Column.dictionary(classes, picks).flattened()
  }

  /// Of two classes a single unit gives the second's.
  private func probability(_ raw: UnsafeMutablePointer<Float>, _ row: Int, _ index: Int) -> Float {
    let scores = raw + row * rowWidth + range.lowerBound
    if range.count > 1 { return scores[index] }
    return index == 1 ? scores[0] : 1 - scores[0]
  }

  private func probabilities(_ raw: UnsafeMutablePointer<Float>, _ rows: Int) -> Column {
    let count = classes.count
    let column = Column(flat: .float, count: rows * count)
    let target = column.values(as: Float.self)
    for row in 0..<rows {
      for index in 0..<count { target[row * count + index] = probability(raw, row, index) }
    }
    return column
  }

  /// As many elements for each row as there are classes.
  private func lists(_ elements: Column, _ rows: Int) -> Column {
    let count = classes.count
    let column = Column(flat: type, count: rows, children: [elements])
    let entries = column.values(as: ListEntry.self)
    for row in 0..<rows { entries[row] = ListEntry(offset: row * count, length: count) }
    return column
  }
}
