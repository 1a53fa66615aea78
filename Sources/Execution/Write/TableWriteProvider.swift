import Columnar
import Diagnostics
import Planner
import Storage

/// The tables that a statement reads and writes, as they are at this moment of it.
protocol WriteTarget: AnyObject, Sendable {
  func table(_ key: CatalogState.Key) -> TableVersion?
  /// Tables with a foreign key to this one.
  func referencing(_ key: CatalogState.Key) -> [TableVersion]
  func publish(_ table: TableVersion)
  /// Where many new rows of a table can be written before the statement ends; nil in memory.
  func loadSink(_ key: CatalogState.Key, columnIDs: [Int64]) -> LoadSink?
}

/// INSERT, UPDATE, DELETE and MERGE: collects the rows that the plan below gives, and when it has
/// ended makes the table's next version of them. Runs to its end whoever reads it.
final class TableWriteProvider: RunnableRowProvider {
  let write: TableWrite
  let target: any WriteTarget
  private let key: CatalogState.Key

  init(_ write: TableWrite, _ target: any WriteTarget) throws {
    guard let table = write.table as? TableVersion else {
      throw SQLError(.internal, "a table of an unknown kind cannot be written")
    }
    self.write = write
    self.target = target
    key = table.key
  }

  var title: String { "\(write.verb.rawValue) \(quotedIdentifier(write.table.definition.name))" }

  var details: [String] {
    let definition = write.table.definition
    if write.verb == .insert, write.action != nil { return ["on conflict update"] }
    guard write.verb == .update else { return [] }
    return [
      "set "
        + write.changed.sorted().map { quotedIdentifier(definition.columns[$0].name) }
        .joined(separator: ", ")
    ]
  }

  var schema: [Field] { write.outputFields }

  func run(input: (any BatchSource)?, query: QueryContext) throws -> any BatchSource {
    throw SQLError(.internal, "a write runs on what its plan collected")
  }

  /// Where the plan's rows go, checked on their way.
  func collector(_ plan: Plan) -> RowGroupCollector {
    let definition = write.table.definition
    let required = write.columns.enumerated().compactMap { index, position in
      definition.columns[position].isRequired
        && (write.verb != .update || write.changed.contains(position))
        ? (write.firstValue + index, position) : nil
    }
    // Rows that go into the table as they come.
    let isPlainInsert =
      write.verb == .insert && write.action == nil && !write.returnsRows && write.firstValue == 0
      && plan.output.count == definition.columns.count
    let sink =
      isPlainInsert
      ? target.table(key).flatMap { target.loadSink(key, columnIDs: $0.data.columnIDs) } : nil
    return RowGroupCollector(types: plan.output.map(\.type), sink: sink) { [write] batch in
      if write.verb == .delete { return }
      for (input, position) in required {
        let column = batch.columns[input]
        if column.mayHaveNulls, (0..<batch.rowCount).contains(where: { column.isNull($0) }) {
          throw SQLError(
            .constraint,
            "NOT NULL constraint failed: \(definition.name).\(definition.columns[position].name)")
        }
      }
      for check in write.checks {
        let column = batch.columns[check.input]
        for row in 0..<batch.rowCount
        where !column.isNull(row) && column.values(as: UInt8.self)[column.valueIndex(row)] == 0 {
          throw SQLError(
            .constraint,
            "CHECK constraint failed on table \"\(definition.name)\" with expression CHECK(\(check.text))"
          )
        }
      }
    }
  }

  /// Writes the collected rows; gives what the statement answers.
  func apply(_ groups: [RowGroup]) throws -> [RowGroup] {
    guard let table = target.table(key) else {
      throw SQLError(
        .transaction, "table \"\(write.table.definition.name)\" was dropped meanwhile")
    }
    let writer = TableWriter(table: table, write: write, target: target)
    let written = try writer.apply(groups)
    if write.returnsRows { return written }
    let column = try Column.constant(.integer(Int128(writer.count)), .bigint, count: 1)
    return [RowGroup(rowCount: 1, columns: [column])]
  }
}

/// The running of one write.
final class TableWriteSource: CompletingSource {
  private let provider: TableWriteProvider
  private var input: (any BatchSource)?
  private let collector: RowGroupCollector
  private let batchRows: Int
  private var output: [Batch] = []
  private var position = 0

  init(
    _ provider: TableWriteProvider, input: any BatchSource, collector: RowGroupCollector,
    query: QueryContext
  ) {
    self.provider = provider
    self.input = input
    self.collector = collector
    batchRows = query.batchRows
  }

  func next() throws -> Batch? {
    try finish()
    guard position < output.count else { return nil }
    position += 1
    return output[position - 1]
  }

  func complete() throws { try finish() }

  private func finish() throws {
    guard let source = input else { return }
    input = nil
    while try source.next() != nil {}
    for group in try provider.apply(try collector.finish().groups) {
      output += try group.batch().pieces(of: batchRows)
    }
  }
}
