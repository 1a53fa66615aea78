import Columnar
import Diagnostics
import Execution

/// The rows of a statement, on demand.
public final class QueryResult {
  /// Names and SQL types; empty for statements without a result.
  public private(set) lazy var columns: [(name: String, type: String)] = fields.map {
    ($0.name, $0.type.description)
  }
  private let fields: [Field]
  /// Rows written by INSERT, COPY and CREATE TABLE AS.
  public let changedRows: Int?
  private var source: (any BatchSource)?
  private let script: String
  private let time: SessionTime

  init(_ result: StatementResult, in script: String) {
    fields = result.fields
    changedRows = result.changedRows
    source = result.source
    time = result.time
    self.script = script
  }

  /// The next rows; nil at the end. Errors of running the query come here.
  public func next() throws -> ResultChunk? {
    do {
      guard let batch = try source?.next() else {
        source = nil
        return nil
      }
      return try SessionTime.with(time) {
        let chunk = ResultChunk(batch)
        // The text of a list of millions takes long: it is made while its statement can be cancelled.
        if batch.columns.contains(where: { $0.type.isNested }) { try chunk.makeTexts() }
        return chunk
      }
    } catch let error as SQLError {
      source = nil
      throw DatabaseError(error, in: script)
    }
  }

  /// Runs the statement to its end now; rows are kept.
  func materialize(in session: Session) throws {
    do {
      source = try source.map { try session.keep($0, types: fields.map(\.type)) }
    } catch let error as SQLError {
      source = nil
      throw DatabaseError(error, in: script)
    }
  }

  /// All rows that are left, as text; nil for NULL.
  public func rows() throws -> [[String?]] {
    var all: [[String?]] = []
    while let chunk = try next() {
      for row in 0..<chunk.rowCount {
        all.append(columns.indices.map { chunk.text(row: row, column: $0) })
      }
    }
    return all
  }
}

/// Some rows of a result. Values are read as text, what CAST(x AS VARCHAR) gives, or as cells.
public struct ResultChunk {
  public let rowCount: Int
  private let columns: [Column]
  private let texts: LazyTexts

  init(_ batch: Batch) {
    rowCount = batch.rowCount
    columns = batch.columns
    texts = LazyTexts(batch.columns)
  }

  fileprivate func makeTexts() throws { try texts.make() }

  public func isNull(row: Int, column: Int) -> Bool { columns[column].isNull(row) }

  /// nil for NULL.
  public func text(row: Int, column: Int) -> String? {
    let values = texts.columns[column]
    if values.isNull(row) { return nil }
    return values.values(as: StringView.self)[values.valueIndex(row)].string
  }

  /// A BOOLEAN, BIGINT, DOUBLE, FLOAT, INTEGER or a list of them as such, all else as its text.
  public func cell(row: Int, column: Int) -> SQLCell {
    switch columns[column].value(row) {
    case .null: .null
    case .boolean(let value): .boolean(value)
    case .integer(let value) where columns[column].type.isInteger:
      Int64(exactly: value).map { .integer($0) } ?? .text("\(value)")
    case .float(let value): .double(Double(value))
    case .double(let value): .double(value)
    default:
      columns[column].type.elementType.map { UserTypes.isPlain($0) } ?? false
        ? UserTypes.cell(columns[column].flattened(), row)
        : text(row: row, column: column).map { .text($0) } ?? .null
    }
  }

  /// The value's bytes behind what is there; nothing for NULL.
  public func appendText(row: Int, column: Int, to target: inout [UInt8]) {
    let values = texts.columns[column]
    if values.isNull(row) { return }
    let view = UnsafePointer(values.values(as: StringView.self) + values.valueIndex(row))
    target.append(contentsOf: view.buffer)
  }
}

/// The texts of a chunk's values, made when the first is read.
private final class LazyTexts {
  private let values: [Column]
  private let time = SessionTime.current

  init(_ values: [Column]) { self.values = values }

  lazy var columns: [Column] = SessionTime.with(time) { values.map { ValueText.text(of: $0) } }

  /// Makes them now; throws when the statement is cancelled, or a text gets too long.
  func make() throws {
    columns = try SessionTime.with(time) { try values.map { try ValueText.boundedText(of: $0) } }
  }
}
