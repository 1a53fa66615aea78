import Columnar

/// Computes columns of columns, row by row, on as few rows as have all values: on one where nothing
/// varies, on a dictionary's where all that varies comes from it.
enum DistinctInputs {
  /// - Parameters:
  ///   - reads: of the columns, those that `body` looks at. What it is given has values of these only.
  ///   - takesUnused: whether it may be given a dictionary's values that no row has.
  static func map(
    _ columns: [Column], reads: [Bool], rows: Int, takesUnused: Bool = true,
    _ body: (_ columns: [Column], _ rows: Int) throws -> [Column]
  ) throws -> [Column] {
    let used = zip(columns, reads).filter(\.1).map(\.0)
    if used.allSatisfy(\.isConstant) {
      return try body(columns.map { $0.isConstant ? $0.slice(0, 1) : $0 }, 1).map {
        Column(repeating: $0, count: rows)
      }
    }
    guard takesUnused, let base = commonBase(used, rows: rows), let indices = base.indices else {
      return try body(columns, rows)
    }
    let few = zip(columns, reads).map { column, isRead -> Column in
      guard isRead else { return column }
      return column.isConstant
        ? Column(repeating: column, count: base.count) : column.base ?? column
    }
    let selection = Selection(capacity: rows)
    selection.indices.update(from: indices, count: rows)
    return try body(few, base.count).map { Column.dictionary($0, selection) }
  }

  /// The dictionary that all columns that vary share, when it has fewer values than there are rows.
  private static func commonBase(_ columns: [Column], rows: Int) -> (
    indices: UnsafeMutablePointer<UInt32>?, count: Int
  )? {
    let varying = columns.filter { !$0.isConstant }
    guard let first = varying.first, first.encoding == .dictionary, let base = first.base,
      base.count < rows, base.count > 0,
      varying.allSatisfy({
        $0.encoding == .dictionary && $0.indices == first.indices && $0.base?.count == base.count
      })
    else { return nil }
    return (first.indices, base.count)
  }
}
