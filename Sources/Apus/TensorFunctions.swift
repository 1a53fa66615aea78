import Columnar
import Diagnostics
import Functions
import Planner

extension Database {
  /// A scalar function over tensors, called once for the rows of a batch. A shape is that of one
  /// row: `[]` is a FLOAT, `[3]` a FLOAT[3], `[28, 28]` a FLOAT[28][28]; the closure gets tensors of
  /// shape `[rows] + shape` and gives one. Arrays and lists of other numbers are cast. A row with
  /// a NULL among its arguments or in them is left out, and gives NULL.
  ///
  ///     try database.register("norm", tensors: [[3]], returns: []) { inputs in
  ///       let vectors = inputs[0]
  ///       let norms = (0..<vectors.rowCount).map { row in
  ///         vectors[row].reduce(0) { $0 + $1 * $1 }.squareRoot()
  ///       }
  ///       return try Tensor(norms, shape: [vectors.rowCount])
  ///     }
  ///
  /// - Parameter isVolatile: whether equal arguments may give other results; else it may be called
  ///   once for equal rows.
  public func register(
    _ name: String, tensors inputs: [[Int]], returns output: [Int], isVolatile: Bool = false,
    _ body: @escaping @Sendable ([Tensor]) throws -> Tensor
  ) throws {
    let types = try inputs.map { try TensorColumns.type($0) }
    let result = try TensorColumns.type(output)
    let overload = ScalarOverload(
      types.map { .exactly($0) }, resultFrom: { _ in result },
      coerce: { given in
        guard given.count == types.count,
          zip(given, types).allSatisfy({ TypeResolution.feeds($0, $1) })
        else {
          let wanted = types.map(\.description).joined(separator: ", ")
          throw SQLError(.binder, "function \(name) takes (\(wanted))")
        }
        return types
      }, nulls: .custom, isVolatile: isVolatile,
      kernel: UserTypes.named(name) { columns, count, _ in
        let rows = TensorColumns.rowsWithoutNull(columns, inputs, count)
        if rows.isEmpty { return Column.nulls(result, count: count) }
        let made = try body(
          try zip(columns, inputs).map { try TensorColumns.tensor($0, rows: rows, shape: $1) })
        guard made.shape == [rows.count] + output else {
          throw SQLError(
            .invalidInput,
            "function \(name) gave a tensor of shape \(made.shape) in place of \([rows.count] + output)"
          )
        }
        return TensorColumns.column(made, rows: rows, count: count, shape: output, result)
      })
    try register(name, overload)
  }
}

/// Between columns of arrays and tensors.
enum TensorColumns {
  /// The SQL type of a row of that shape.
  static func type(_ shape: [Int]) throws -> LogicalType {
    guard let count = Tensor.count(of: shape), shape.allSatisfy({ $0 > 0 }), count <= 1 << 24 else {
      throw DatabaseError(
        SQLError(.invalidInput, "no row of a column has the shape \(shape)"), in: "")
    }
    return shape.reversed().reduce(LogicalType.float) { .array($0, count: $1) }
  }

  /// The floats below all arrays of a flat column.
  private static func leaf(_ column: Column, _ shape: [Int]) -> Column {
    shape.reduce(column.flattened()) { column, _ in column.children[0].flattened() }
  }

  /// The rows that have all their values.
  static func rowsWithoutNull(_ columns: [Column], _ shapes: [[Int]], _ count: Int) -> [Int] {
    var isWhole = [Bool](repeating: true, count: count)
    for (column, shape) in zip(columns, shapes) {
      var level = column.flattened()
      var width = 1
      for depth in 0...shape.count {
        if level.mayHaveNulls {
          for row in 0..<count where isWhole[row] {
            for value in row * width..<(row + 1) * width where level.isNull(value) {
              isWhole[row] = false
            }
          }
        }
        if depth < shape.count {
          width *= shape[depth]
          level = level.children[0].flattened()
        }
      }
    }
    return (0..<count).filter { isWhole[$0] }
  }

  /// These rows of the column.
  static func tensor(_ column: Column, rows: [Int], shape: [Int]) throws -> Tensor {
    let flat = leaf(column, shape)
    let width = Tensor.count(of: shape) ?? 0
    let source = UnsafePointer(flat.values(as: Float.self))
    var values: [Float] = []
    values.reserveCapacity(rows.count * width)
    withExtendedLifetime(flat) {
      for row in rows {
        values += UnsafeBufferPointer(start: source + row * width, count: width)
      }
    }
    return try Tensor(values, shape: [rows.count] + shape)
  }

  /// Floats as `count` rows of that shape.
  static func arrays(_ flat: Column, _ count: Int, _ shape: [Int]) -> Column {
    var column = flat
    var places = flat.count
    for extent in shape.reversed() {
      places = extent > 0 ? places / extent : count
      column = Column(flat: .array(column.type, count: extent), count: places, children: [column])
    }
    return column
  }

  /// A column of `count` rows: `rows` are those of the tensor, the others NULL.
  static func column(
    _ tensor: Tensor, rows: [Int], count: Int, shape: [Int], _ type: LogicalType
  ) -> Column {
    let width = tensor.rowWidth
    let flat = Column(flat: .float, count: count * width)
    let target = flat.values(as: Float.self)
    target.update(repeating: 0, count: count * width)
    tensor.values.withUnsafeBufferPointer { source in
      guard let from = source.baseAddress else { return }
      for (place, row) in rows.enumerated() {
        (target + row * width).update(from: from + place * width, count: width)
      }
    }
    let column = arrays(flat, count, shape)
    if rows.count < count {
      let kept = Set(rows)
      for row in 0..<count where !kept.contains(row) { column.setNull(row) }
    }
    return column
  }
}
