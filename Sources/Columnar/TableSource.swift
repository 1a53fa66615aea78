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
  /// What is known of a column (position in `schema`) without reading much; nil for nothing.
  func columnStatistics(_ position: Int) -> ColumnStatistics?
  /// A few rows from all over, the same ones of each of the columns (positions in `schema`), to try
  /// conditions on; nil when there are none at hand.
  func sample(columns: [Int]) -> [Column]?
  /// A scan of some columns (positions in `schema`, in the order wanted; may be empty: then batches
  /// carry only a row count).
  func scan(columns: [Int], filters: [ScanFilter], batchRows: Int) throws -> any PartitionedScan
  /// Whether a second scan costs no more than keeping the rows of the first.
  var isCheapToReadAgain: Bool { get }
  /// Whether a scan without filters leaves out rows without reading them.
  var canSkipRows: Bool { get }
  /// How many rows a scan gives, no guess; nil when nobody knows.
  var exactRowCount: Int? { get }
  /// The least and the greatest value of a column (position in `schema`), no guess; nil when it takes
  /// reading it.
  func exactRange(of position: Int) -> ExactRange?
}

/// What a source knows of a column without reading it.
package struct ExactRange: Sendable {
  package let nullCount: Int
  /// NULL where there is no value.
  package let least: Value
  package let greatest: Value

  package init(nullCount: Int, least: Value, greatest: Value) {
    self.nullCount = nullCount
    self.least = least
    self.greatest = greatest
  }
}

/// A scan cut into partitions that any number of threads may open, each partition once, in any
/// order. Partition numbers give the source's row order.
package protocol PartitionedScan: Sendable {
  var partitionCount: Int { get }
  /// The rows of one partition; nil when statistics show that no row can pass the filters.
  func open(_ partition: Int) throws -> (any BatchSource)?
  /// The same, with leave to give no rows that a look at some columns shows to be unwanted.
  func open(_ partition: Int, look: FirstLook?) throws -> (any BatchSource)?
  /// Whether some row of the partition may have a value of the range (of integers and what is stored
  /// as such) in a column, given by its position in the schema; true when unsure.
  func mayHold(_ range: ClosedRange<Int128>, column: Int, in partition: Int) -> Bool
  /// Whether some row of the partition may pass a filter that was not known before; true when unsure.
  func mayPass(_ filter: ScanFilter, in partition: Int) -> Bool
  /// nil when nothing is known of the column there.
  func bounds(ofColumn column: Int, in partition: Int) -> PartitionBounds?
  /// Exactly how many rows `open` gives of the partition; nil when it takes reading it.
  func rowCount(of partition: Int) -> Int?
}

extension PartitionedScan {
  package func open(_ partition: Int, look: FirstLook?) throws -> (any BatchSource)? {
    try open(partition)
  }

  package func mayHold(_ range: ClosedRange<Int128>, column: Int, in partition: Int) -> Bool {
    true
  }

  package func mayPass(_ filter: ScanFilter, in partition: Int) -> Bool { true }

  package func bounds(ofColumn column: Int, in partition: Int) -> PartitionBounds? { nil }

  package func rowCount(of partition: Int) -> Int? { nil }
}

extension TableSource {
  package func columnStatistics(_ position: Int) -> ColumnStatistics? { nil }
  package func sample(columns: [Int]) -> [Column]? { nil }
  package var isCheapToReadAgain: Bool { true }
  package var canSkipRows: Bool { false }
  package var exactRowCount: Int? { nil }
  package func exactRange(of position: Int) -> ExactRange? { nil }

  package func columnIndex(_ name: String) -> Int? {
    let wanted = name.lowercased()
    return schema.firstIndex { $0.name.lowercased() == wanted }
  }
}

/// Guesses about a column, for the planner: never for results.
package struct ColumnStatistics: Sendable {
  /// Different values; nil when nobody knows.
  package var distinctCount: Double?
  /// Bounds of the values in the order of `Value.orderedNumber`; nil for types without one.
  package var minimum: Double?
  package var maximum: Double?
  /// The share of NULLs, 0 to 1.
  package var nullFraction: Double

  package init(
    distinctCount: Double? = nil, minimum: Double? = nil, maximum: Double? = nil,
    nullFraction: Double = 0
  ) {
    self.distinctCount = distinctCount
    self.minimum = minimum
    self.maximum = maximum
    self.nullFraction = nullFraction
  }
}

extension Value {
  /// A number in the order of the values of one type: days, microseconds, unscaled decimals. For
  /// guesses only: large integers are rounded.
  package var orderedNumber: Double? {
    switch self {
    case .integer(let number), .decimal(let number): Double(number)
    case .unsigned(let number): Double(number)
    case .float(let number): number.isFinite ? Double(number) : nil
    case .double(let number): number.isFinite ? number : nil
    case .date(let days): Double(days)
    case .time(let microseconds), .timestamp(let microseconds): Double(microseconds)
    case .boolean(let flag): flag ? 1 : 0
    case .timeTZ(let bits): Double(bits)
    case .uuid(let number): Double(number)
    case .null, .varchar, .blob, .interval, .list, .structure: nil
    }
  }
}
