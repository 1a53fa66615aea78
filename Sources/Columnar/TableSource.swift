/// A comparison of a column with a constant that a scan may use to skip whole partitions or rows;
/// skipping is optional, the filter is applied again above.
package struct ScanFilter: Sendable {
  package enum Operator: Sendable {
    case equal, less, lessOrEqual, greater, greaterOrEqual, isNull, isNotNull
  }
  /// Position in the source's schema.
  package var column: Int
  package var `operator`: Operator
  /// Of the column's type.
  package var value: Value

  package init(column: Int, operator: Operator, value: Value) {
    self.column = column
    self.operator = `operator`
    self.value = value
  }
}

/// Something that rows can be read from: a table, a file, several files.
package protocol TableSource: AnyObject, Sendable {
  var schema: [Field] { get }
  /// A guess for the planner; nil when nothing is known.
  var estimatedRowCount: Int? { get }
  /// A scan of some columns (positions in `schema`, in the order wanted; may be empty: then batches
  /// carry only a row count).
  func scan(columns: [Int], filters: [ScanFilter], batchRows: Int) throws -> any PartitionedScan
}

/// A scan cut into partitions that any number of threads may open, each partition once, in any
/// order. Partition numbers give the source's row order.
package protocol PartitionedScan: Sendable {
  var partitionCount: Int { get }
  /// The rows of one partition; nil when statistics show that no row can pass the filters.
  func open(_ partition: Int) throws -> (any BatchSource)?
}

extension TableSource {
  package func columnIndex(_ name: String) -> Int? {
    let wanted = name.lowercased()
    return schema.firstIndex { $0.name.lowercased() == wanted }
  }
}
