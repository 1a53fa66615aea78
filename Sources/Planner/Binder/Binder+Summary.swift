import Columnar
import Diagnostics
import Functions
import Syntax

/// SUMMARIZE: a row per column with its smallest and largest value, quartiles and so on. One query
/// that reads the rows once, whose one row of aggregates is then turned into a row per column.
extension Binder {
  /// The turning takes time and space of the square of this.
  private static let columnsPerQuery = 40

  func bindSummary(_ describe: Describe) throws -> BoundQuery {
    let source = try summarized(describe.target)
    let fields = try bind(source).fields
    var body: QueryBody?
    for start in stride(from: 0, to: fields.count, by: Binder.columnsPerQuery) {
      let range = start..<min(fields.count, start + Binder.columnsPerQuery)
      let part = QueryBody.nested(try summary(of: source, fields, range))
      body =
        body.map {
          .setOperation(
            SetOperation(
              kind: .union, isAll: true, isByName: false, left: $0, right: part, span: source.span))
        } ?? part
    }
    guard let body else { throw SQLError(.binder, "there is no column to summarize") }
    return try bind(Query(body: body, span: source.span))
  }

  private func summarized(_ target: Describe.Target) throws -> Query {
    switch target {
    case .query(let query): return query
    case .table(let name): return Query(body: .table(name), span: name.span)
    case .file(let path, let span):
      let select = Select(
        items: [SelectItem(expression: SyntaxExpression(.star(Star()), span: span), span: span)],
        from: [TableReference(.file(path), span: span)], span: span)
      return Query(body: .select(select), span: span)
    case .model, .all: throw SQLError(.binder, "SUMMARIZE takes a table or a query")
    }
  }

  private func summary(of source: Query, _ fields: [Field], _ range: Range<Int>) throws -> Query {
    let names = fields.indices.map { "c\($0)" }.joined(separator: ", ")
    let aggregates = range.flatMap { column in
      Summary.parts.map { part in
        "\(part.aggregate("c\(column)", fields[column].type)) AS \(part.name)_\(column)"
      }
    }
    func choice(_ branches: (Int) -> String) -> String {
      "CASE i " + range.map { "WHEN \($0) THEN \(branches($0))" }.joined(separator: " ") + " END"
    }
    var items = [
      choice { Printer.literal(fields[$0].name) } + " AS column_name",
      choice { Printer.literal(fields[$0].type.description) } + " AS column_type",
    ]
    items += Summary.parts.map { part in choice { "\(part.name)_\($0)" } + " AS \"\(part.name)\"" }
    let text =
      "SELECT \(items.joined(separator: ", ")) FROM (SELECT \(aggregates.joined(separator: ", ")) "
      + "FROM (SELECT 1) s(\(names))) a, range(\(range.lowerBound), \(range.upperBound)) r(i) "
      + "ORDER BY i"
    guard case .query(var query) = try Parser.parseStatement(text).statement,
      case .select(var outer) = query.body, case .derived(var middle) = outer.from[0].kind,
      case .select(var inner) = middle.query.body
    else { throw SQLError(.internal, "the query of SUMMARIZE did not parse") }
    inner.from[0].kind = .derived(DerivedTable(query: source))
    middle.query.body = .select(inner)
    outer.from[0].kind = .derived(middle)
    query.body = .select(outer)
    return query
  }
}

/// The columns of SUMMARIZE.
private enum Summary {
  struct Part: Sendable {
    let name: String
    /// Its aggregate over a column, as SQL.
    let aggregate: @Sendable (_ column: String, _ type: LogicalType) -> String
  }

  static let parts: [Part] = [
    Part(name: "min") { text("min", $0, $1) },
    Part(name: "max") { text("max", $0, $1) },
    Part(name: "approx_unique") { column, type in
      exists("approx_count_distinct", [type])
        ? "CAST(approx_count_distinct(\(column)) AS BIGINT)" : "CAST(NULL AS BIGINT)"
    },
    Part(name: "avg") { column, type in
      isMeasured(type) ? text("avg", column, type) : none
    },
    Part(name: "std") { column, type in
      type.isNumeric ? text("stddev", column, type) : none
    },
    quantile("q25", "0.25"), quantile("q50", "0.5"), quantile("q75", "0.75"),
    Part(name: "count") { _, _ in "count(*)" },
    Part(name: "null_percentage") { column, _ in
      "CAST(100.0e0 * (count(*) - count(\(column))) / nullif(count(*), 0) AS DECIMAL(9, 2))"
    },
  ]

  private static let none = "CAST(NULL AS VARCHAR)"

  private static func quantile(_ name: String, _ fraction: String) -> Part {
    Part(name: name) { column, type in
      guard isMeasured(type) else { return none }
      if exists("approx_quantile", [type, .double]) {
        return "CAST(approx_quantile(\(column), \(fraction)) AS VARCHAR)"
      }
      return exists("quantile_cont", [type, .double])
        ? "CAST(CAST(quantile_cont(\(column), \(fraction)) AS \(type)) AS VARCHAR)" : none
    }
  }

  private static func text(_ function: String, _ column: String, _ type: LogicalType) -> String {
    exists(function, [type]) ? "CAST(\(function)(\(column)) AS VARCHAR)" : none
  }

  private static func exists(_ function: String, _ types: [LogicalType]) -> Bool {
    (try? Aggregates.resolve(name: function, arguments: types)) != nil
  }

  private static func isMeasured(_ type: LogicalType) -> Bool {
    type.isNumeric || type.isTemporal
  }
}
