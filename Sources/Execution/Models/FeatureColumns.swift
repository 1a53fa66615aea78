import Columnar
import Diagnostics
import Functions

/// A batch's columns as the network wants them: one pointer of floats per input value. Flat FLOAT
/// columns are passed as they are; others are converted once per batch.
struct FeatureColumns {
  private var columns: [Column] = []
  private var pointers: [UnsafePointer<Float>] = []

  /// Throws when a column cannot be a number: the binder's casts come before. Columns that nobody
  /// `reads` are not converted, and what stands in their place has no values.
  init(_ inputs: [Column], rows: Int, reads: [Bool]? = nil) throws {
    for (position, input) in inputs.enumerated() {
      if let reads, position < reads.count, !reads[position] {
        let column = Column(flat: .float, count: 1)
        for _ in 0..<ModelDefinition.width(of: input.type) { append(column) }
        continue
      }
      if case .array(_, let count) = input.type {
        var flat = input.flattened()
        var element = flat.children[0]
        var size = count
        while case .array(_, let inner) = element.type {
          flat = element.flattened()
          element = flat.children[0]
          size *= inner
        }
        let matrix = try castColumn(element.flattened(), to: .float).flattened()
        let source = matrix.values(as: Float.self)
        for position in 0..<size {
          let column = Column(flat: .float, count: rows)
          let target = column.values(as: Float.self)
          for row in 0..<rows { target[row] = source[row * size + position] }
          append(column)
        }
      } else {
        append(try castColumn(input, to: .float).flattened())
      }
    }
  }

  private mutating func append(_ column: Column) {
    columns.append(column)
    pointers.append(UnsafePointer(column.values(as: Float.self)))
  }

  var width: Int { pointers.count }

  /// SAFETY: valid while this value lives.
  var addresses: [UnsafePointer<Float>] { pointers }

  /// Takes the values into a running hash, so that data can be told from other data.
  func hash(into hash: inout UInt64, rows: Int) {
    withExtendedLifetime(columns) {
      for pointer in pointers {
        for row in 0..<rows {
          hash = (hash ^ UInt64(pointer[row].bitPattern)) &* 0x100_0000_01b3
        }
      }
    }
  }

  func withPointers<Result>(
    _ body: (UnsafePointer<UnsafePointer<Float>>) throws -> Result
  ) rethrows -> Result {
    try withExtendedLifetime(columns) {
      try pointers.withUnsafeBufferPointer { buffer in
        guard let start = buffer.baseAddress else { preconditionFailure("a network has inputs") }
        return try body(start)
      }
    }
  }

  func keepingAlive<Result>(_ body: ([UnsafePointer<Float>]) throws -> Result) rethrows -> Result {
    try withExtendedLifetime(columns) { try body(pointers) }
  }
}

func castColumn(_ column: Column, to type: LogicalType) throws -> Column {
  column.type == type ? column : try Cast.column(column, to: type, tryCast: false)
}

extension Column {
  /// An array with a NULL among its elements is NULL as a whole: a network takes all of it or nothing.
  var withNullsOfElements: Column {
    guard case .array(_, let count) = type else { return self }
    let flat = flattened()
    var elements = flat.children[0].flattened()
    var size = count
    var broken: Column?
    while true {
      if elements.mayHaveNulls {
        let whole = broken ?? Column(flat: .boolean, count: flat.count)
        for place in 0..<flat.count * size where elements.isNull(place) {
          whole.setNull(place / size)
        }
        broken = whole
      }
      guard case .array(_, let inner) = elements.type else { break }
      size *= inner
      elements = elements.children[0].flattened()
    }
    return broken.map { flat.withNulls(of: $0) } ?? self
  }
}
