import Columnar

/// Lifts operations on values to operations on columns of any encoding. NULL in, NULL out: rows
/// that are NULL in any argument are NULL in the result.
///
/// `unary` and `binary` compute NULL rows too, because a loop without a test is what the compiler
/// vectorises; their operations must therefore be total (garbage in, garbage out, no trap). The
/// `rows` family skips NULL rows and may throw.
package enum Kernels {
  /// `operation` of every row.
  @inline(__always)
  package static func unary<A: BitwiseCopyable, R: BitwiseCopyable>(
    _ column: Column, _ count: Int, _ type: LogicalType, _ a: A.Type, _ r: R.Type,
    _ operation: (A) -> R
  ) -> Column {
    let result = Column(flat: type, count: count)
    let target = result.values(as: R.self)
    let source = column.values(as: A.self)
    switch column.encoding {
    case .flat:
      for row in 0..<count { target[row] = operation(source[row]) }
    case .constant:
      if count > 0 { target.update(repeating: operation(source[0]), count: count) }
    case .dictionary:
      // SAFETY: a dictionary has indices, each below its base's count.
      let indices = column.indices.unsafelyUnwrapped
      for row in 0..<count { target[row] = operation(source[Int(indices[row])]) }
    }
    result.addNulls(of: column)
    return result
  }

  /// `operation` of every pair of rows.
  @inline(__always)
  package static func binary<A: BitwiseCopyable, B: BitwiseCopyable, R: BitwiseCopyable>(
    _ left: Column, _ right: Column, _ count: Int, _ type: LogicalType, _ a: A.Type, _ b: B.Type,
    _ r: R.Type, _ operation: (A, B) -> R
  ) -> Column {
    let result = Column(flat: type, count: count)
    let target = result.values(as: R.self)
    forEachPair(left, right, count, a, b) { row, x, y in target[row] = operation(x, y) }
    result.addNulls(of: left)
    result.addNulls(of: right)
    return result
  }

  /// `operation` of every pair, which reports failure (overflow) by setting the top bit of the
  /// accumulator: tested once per batch. Only then the offending row is looked for; rows that are
  /// NULL cannot offend.
  @inline(__always)
  package static func checkedBinary<T: FixedWidthInteger & BitwiseCopyable>(
    _ left: Column, _ right: Column, _ count: Int, _ type: LogicalType, _ t: T.Type,
    _ operation: (T, T, inout T) -> T, failure: (T, T) -> any Error
  ) throws -> Column {
    let result = Column(flat: type, count: count)
    let target = result.values(as: T.self)
    var failed: T = 0
    forEachPair(left, right, count, t, t) { row, x, y in
      target[row] = operation(x, y, &failed)
    }
    result.addNulls(of: left)
    result.addNulls(of: right)
    if failed.leadingZeroBitCount == 0 {
      let x = ColumnReader<T>(left)
      let y = ColumnReader<T>(right)
      for row in 0..<count where !result.isNull(row) {
        var own: T = 0
        _ = operation(x[row], y[row], &own)
        if own.leadingZeroBitCount == 0 { throw failure(x[row], y[row]) }
      }
    }
    return result
  }

  /// Calls `body` with each row's pair of values: a loop of its own for the common encodings.
  @inline(__always)
  package static func forEachPair<A: BitwiseCopyable, B: BitwiseCopyable>(
    _ left: Column, _ right: Column, _ count: Int, _ a: A.Type, _ b: B.Type,
    _ body: (Int, A, B) -> Void
  ) {
    if count == 0 { return }
    let x = left.values(as: A.self)
    let y = right.values(as: B.self)
    switch (left.encoding, right.encoding) {
    case (.flat, .flat):
      for row in 0..<count { body(row, x[row], y[row]) }
    case (.flat, .constant):
      let fixed = y[0]
      for row in 0..<count { body(row, x[row], fixed) }
    case (.constant, .flat):
      let fixed = x[0]
      for row in 0..<count { body(row, fixed, y[row]) }
    case (.dictionary, _), (_, .dictionary), (.constant, .constant):
      let readX = ColumnReader<A>(left)
      let readY = ColumnReader<B>(right)
      for row in 0..<count { body(row, readX[row], readY[row]) }
    }
  }

  /// One value per row that is not NULL in any argument; nil makes the row NULL. `body` reads its
  /// arguments by `ColumnReader`s that it captures.
  @inline(__always)
  package static func nullableRows<R: BitwiseCopyable>(
    _ arguments: [Column], _ count: Int, _ type: LogicalType, _ r: R.Type,
    _ body: (Int) throws -> R?
  ) rethrows -> Column {
    // Views may refer to the arguments' bytes (a substring needs no copy), so these stay alive.
    let keep: [AnyObject] = R.self == StringView.self || R.self == ListEntry.self ? arguments : []
    let result = Column(flat: type, count: count, heaps: keep)
    for argument in arguments { result.addNulls(of: argument) }
    let target = result.values(as: R.self)
    let words = result.validity
    for row in 0..<count {
      if let words, !Validity.isValid(words, row) {
        clear(target + row)
        continue
      }
      if let value = try body(row) {
        target[row] = value
      } else {
        clear(target + row)
        result.setNull(row)
      }
    }
    return result
  }

  /// One value per row that is not NULL in any argument.
  @inline(__always)
  package static func rows<R: BitwiseCopyable>(
    _ arguments: [Column], _ count: Int, _ type: LogicalType, _ r: R.Type,
    _ body: (Int) throws -> R
  ) rethrows -> Column {
    try nullableRows(arguments, count, type, r) { row in try body(row) }
  }

  /// A truth value per row that is not NULL in any argument.
  @inline(__always)
  package static func predicate(
    _ arguments: [Column], _ count: Int, _ body: (Int) throws -> Bool
  ) rethrows -> Column {
    try nullableRows(arguments, count, .boolean, UInt8.self) { row in try body(row) ? 1 : 0 }
  }

  /// A new string per row that is not NULL in any argument: `body` writes it into the buffer, and
  /// returns false for NULL.
  @inline(__always)
  static func nullableTexts(
    _ arguments: [Column], _ count: Int, _ type: LogicalType = .varchar,
    _ body: (Int, inout ResultText) throws -> Bool
  ) rethrows -> Column {
    let heap = StringHeap()
    let result = Column(flat: type, count: count, heaps: [heap])
    for argument in arguments { result.addNulls(of: argument) }
    let target = result.values(as: StringView.self)
    let words = result.validity
    var buffer = ResultText()
    for row in 0..<count {
      target[row] = StringView()
      if let words, !Validity.isValid(words, row) { continue }
      buffer.startRow()
      if try body(row, &buffer) {
        target[row] = heap.store(UnsafePointer(buffer.start), buffer.count)
      } else {
        result.setNull(row)
      }
    }
    return result
  }

  /// A new string per row that is not NULL in any argument.
  @inline(__always)
  static func texts(
    _ arguments: [Column], _ count: Int, _ type: LogicalType = .varchar,
    _ body: (Int, inout ResultText) throws -> Void
  ) rethrows -> Column {
    try nullableTexts(arguments, count, type) { row, buffer in
      try body(row, &buffer)
      return true
    }
  }

  /// All-zero bytes: what NULL rows hold, so that equal columns are equal bytes.
  @inline(__always)
  package static func clear<T: BitwiseCopyable>(_ place: UnsafeMutablePointer<T>) {
    UnsafeMutableRawPointer(place).initializeMemory(
      as: UInt8.self, repeating: 0, count: MemoryLayout<T>.size)
  }
}
