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
      return SessionTime.with(time) { ResultChunk(batch) }
    } catch let error as SQLError {
      source = nil
      throw DatabaseError(error, in: script)
    }
  }

  /// Runs the statement to its end now; rows are kept.
  func materialize() throws {
    do {
      var batches: [Batch] = []
      while let batch = try source?.next() { batches.append(batch) }
      source = BatchListSource(batches)
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

/// Some rows of a result. Values are read as text: what CAST(x AS VARCHAR) gives.
public struct ResultChunk {
  public let rowCount: Int
  private let texts: [Column]

  init(_ batch: Batch) {
    rowCount = batch.rowCount
    texts = batch.columns.map { ValueText.text(of: $0) }
  }

  public func isNull(row: Int, column: Int) -> Bool { texts[column].isNull(row) }

  /// nil for NULL.
  public func text(row: Int, column: Int) -> String? {
    let values = texts[column]
    if values.isNull(row) { return nil }
    return values.values(as: StringView.self)[values.valueIndex(row)].string
  }

  /// The value's bytes behind what is there; nothing for NULL.
  public func appendText(row: Int, column: Int, to target: inout [UInt8]) {
    let values = texts[column]
    if values.isNull(row) { return }
    let view = UnsafePointer(values.values(as: StringView.self) + values.valueIndex(row))
    target.append(contentsOf: view.buffer)
  }
}
