import Columnar
import Diagnostics
import Planner

/// Fits a model's transforms to the rows that it is trained on, by queries over them: one for all
/// aggregates of a level, and one for each step that needs groups.
struct TransformFitting {
  let transform: ModelTransform
  /// The columns of the training rows: the inputs, then the first label.
  let columns: [Field]
  let label: Field
  let rows: Plan
  /// Runs a plan to its end.
  let run: (Plan) throws -> [[Value]]

  /// What each step found; nil where there was nothing to find.
  func states() throws -> [ModelJSON?] {
    var states = [ModelJSON?](repeating: nil, count: transform.steps.count)
    for level in 0..<transform.levels {
      let functions = transform.functions(try transform.fitted(states))
      let scope = try TransformScope(columns, functions: functions)
      let steps = transform.steps.indices.filter { transform.steps[$0].level == level }
      func column(_ step: Int) -> String {
        ModelTransform.naming(functions, in: transform.steps[step].columns[0])
      }
      var aggregates: [(step: Int, sql: [String])] = []
      for step in steps {
        let arguments = transform.steps[step].arguments
        switch transform.steps[step].definition.fit {
        case .nothing: break
        case .aggregates(let list):
          aggregates.append((step, try list(arguments, "x\(step)")))
        case .query(let query):
          let source =
            "(SELECT \(column(step)) AS x, \(quotedIdentifier(label.name)) AS label FROM rows)"
          let sql = try query(arguments).replacing("FROM fitted", with: "FROM \(source) AS fitted")
          let found = try run(try scope.plan(sql, over: rows))
          states[step] = .array(Self.columns(of: found))
        }
      }
      if aggregates.isEmpty { continue }
      let inner = aggregates.map { "\(column($0.step)) AS x\($0.step)" }.joined(separator: ", ")
      let outer = aggregates.flatMap(\.sql).joined(separator: ", ")
      let found = try run(
        try scope.plan("SELECT \(outer) FROM (SELECT \(inner) FROM rows)", over: rows))
      var values = found.first?.map(Self.json) ?? []
      for (step, sql) in aggregates {
        states[step] = .array(Array(values.prefix(sql.count)))
        values.removeFirst(min(sql.count, values.count))
      }
    }
    return states
  }

  private static func columns(of rows: [[Value]]) -> [ModelJSON] {
    guard let width = rows.first?.count else { return [.array([])] }
    return (0..<width).map { column in .array(rows.map { json($0[column]) }) }
  }

  private static func json(_ value: Value) -> ModelJSON {
    switch value {
    case .null: .null
    case .boolean(let flag): .boolean(flag)
    case .integer(let number): .number(Double(number))
    case .float(let number): .number(Double(number))
    case .double(let number): .number(number)
    case .varchar(let text): .text(text)
    case .list(let items): .array(items.map(json))
    default: .null
    }
  }
}
