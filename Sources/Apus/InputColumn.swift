import Columnar
import Diagnostics

/// A column of values for one input of a model, or for a key of FOR EACH.
public enum InputColumn: Sendable, ExpressibleByArrayLiteral {
  /// For an input that is a number.
  case numbers([Float])
  /// For an array: [rows, …].
  case arrays(Tensor)
  /// For a VARCHAR, and for keys of every type.
  case texts([String])

  public init(arrayLiteral elements: Float...) { self = .numbers(elements) }

  /// Floats of a value of a type.
  static func width(of type: LogicalType) -> Int {
    if case .array(let element, let count) = type { return width(of: element) * count }
    return 1
  }

  static func mismatch(_ input: Field, _ model: String) -> SQLError {
    SQLError(
      .model, "input \"\(input.name)\" of model \"\(model)\" is \(input.type)",
      hint: input.type == .varchar
        ? "predict(columns:) with .texts([…])"
        : input.type.isNested
          ? "predict(columns:) with .arrays(…)" : "predict(columns:) with numbers")
  }

  /// An error when the input is of another kind.
  func rowCount(_ input: Field, _ model: String) throws -> Int {
    switch self {
    case .numbers(let values) where input.type != .varchar && !input.type.isNested:
      return values.count
    case .arrays(let tensor)
    where input.type.isNested && tensor.rowWidth == InputColumn.width(of: input.type):
      return tensor.rowCount
    case .texts(let values) where input.type == .varchar: return values.count
    case .numbers, .arrays, .texts: throw InputColumn.mismatch(input, model)
    }
  }

  /// The same for a key: texts are cast to its type.
  func keyCount(_ key: Field, _ model: String) throws -> Int {
    switch self {
    case .texts(let values): return values.count
    case .numbers(let values) where key.type.isNumeric: return values.count
    case .numbers, .arrays:
      throw SQLError(
        .model, "key \"\(key.name)\" of model \"\(model)\" is \(key.type)",
        hint: "its values as .texts([…])")
    }
  }

  func column(_ input: Field) throws -> Column {
    switch self {
    case .numbers(let values):
      let column = Column(flat: .float, count: values.count)
      let target = column.values(as: Float.self)
      for (row, value) in values.enumerated() { target[row] = value }
      return column
    case .arrays(let tensor):
      return InputColumn.column(tensor, first: 0, width: tensor.rowWidth, input.type)
    case .texts(let values):
      var builder = ColumnBuilder(.varchar, capacity: values.count)
      for value in values { try builder.append(.varchar(value)) }
      return builder.finish()
    }
  }

  /// A part of each row, as a number or an array.
  static func column(_ rows: Tensor, first: Int, width: Int, _ type: LogicalType) -> Column {
    let count = rows.rowCount
    let all = rows.rowWidth
    let flat = Column(flat: .float, count: count * width)
    let target = flat.values(as: Float.self)
    rows.values.withUnsafeBufferPointer { source in
      guard let from = source.baseAddress else { return }
      for row in 0..<count {
        (target + row * width).update(from: from + row * all + first, count: width)
      }
    }
    return TensorColumns.arrays(flat, count, shape(of: type))
  }

  /// The extents of an array type, the outermost first.
  private static func shape(of type: LogicalType) -> [Int] {
    if case .array(let element, let count) = type { return [count] + shape(of: element) }
    return []
  }
}
