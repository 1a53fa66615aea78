import Columnar
import Diagnostics
import Functions
import Planner
import Syntax

/// Binds what a model computes of its columns apart from any database: no macro, no setting and no
/// later change of the catalog gives it another meaning.
struct TransformScope {
  private let session: Session
  private let columns: [Field]
  private static let table = "rows"

  /// `functions` are the fitted transforms, under names that nobody can write.
  init(_ columns: [Field], functions: [ScalarFunction]) throws {
    self.columns = columns
    let database = DatabaseCatalog()
    for function in functions { try database.register(function) }
    session = Session(database)
    let list = columns.map { "\(Printer.quoted($0.name)) \($0.type)" }.joined(separator: ", ")
    _ = try session.run(
      try Parser.parseStatement("CREATE TABLE \(TransformScope.table) (\(list))"))
  }

  /// The plan of a query over `rows`, which are those of `input`.
  func plan(_ sql: String, over input: Plan) throws -> Plan {
    TransformScope.replacingScan(in: try bind(sql), by: input)
  }

  /// Expressions over columns of `rows`: references of their own, and the expressions over these.
  func expressions(_ items: [String]) throws -> (
    references: [(position: Int, reference: ColumnReference)], expressions: [Expression]
  ) {
    let list = items.joined(separator: ", ")
    let plan = try bind("SELECT \(list) FROM \(TransformScope.table)")
    guard case .project(let node) = plan, case .scan(let scan) = node.input else {
      throw SQLError(
        .model, "TRANSFORM takes expressions of one row: no aggregates, windows or subqueries")
    }
    let columns = scan.columns.filter { $0.position < self.columns.count }
    for (expression, _) in node.items where !Self.reads(expression, only: columns.map(\.1.id)) {
      throw SQLError(.model, "TRANSFORM reads the inputs of the model and nothing else")
    }
    return (columns, node.items.map(\.expression))
  }

  private static func reads(_ expression: Expression, only known: [Int]) -> Bool {
    if case .column(let reference) = expression { return known.contains(reference.id) }
    return expression.children.allSatisfy { reads($0, only: known) }
  }

  private func bind(_ sql: String) throws -> Plan {
    guard case .query(let query) = try Parser.parseStatement(sql).statement else {
      throw SQLError(.internal, "a query of TRANSFORM did not parse")
    }
    return try session.binder().bind(query).plan
  }

  private static func replacingScan(in plan: Plan, by input: Plan) -> Plan {
    if case .scan(let node) = plan {
      let output = input.output
      return .project(
        ProjectNode(
          input: input,
          // The table has a rowid behind its columns, which no query here reads.
          items: node.columns.filter { $0.position < output.count }.map {
            (.column(output[$0.position]), $0.reference)
          }))
    }
    return plan.mapChildren { replacingScan(in: $0, by: input) }
  }
}
