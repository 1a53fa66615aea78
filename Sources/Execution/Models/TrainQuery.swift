import Diagnostics
import NeuralNet
import Syntax

/// The query behind a TRAIN: that of its source, with columns of our own for what the statement
/// says of each row. Their names are such that no column of the source has them.
struct TrainQuery {
  static let weight = "#weight"
  static let validation = "#validation"
  private static let partition = "#partition"
  private static let row = "#row"
  private static let turn = "#turn"

  private(set) var query: Query
  private(set) var hasWeight = false
  private(set) var hasValidation = false

  init(_ statement: TrainModel, seed: UInt64, shuffles: Bool) throws {
    var marks: [SelectItem] = []
    if let weight = statement.weight {
      hasWeight = true
      marks.append(Self.item(weight, Self.weight))
    }
    // Shards are read interleaved: the shuffle does more than that, and ORDER BY keeps its order.
    let interleaves = !shuffles && statement.orderBy.isEmpty
    if let partition = statement.partitionBy {
      marks.append(Self.item(partition, Self.partition))
      if interleaves { marks.append(Self.item(try Self.parsed("row_number() OVER ()"), Self.row)) }
    }
    var filter: SyntaxExpression?
    var other: Query?
    switch statement.validation {
    case .filter(let condition): filter = condition
    case .split(let fraction, let key?): filter = try Self.split(fraction, key, seed)
    case .source(let source): other = try ModelQueries.query(of: source)
    case .split, nil: break
    }
    query = try ModelQueries.query(of: statement.source)
    if let other {
      hasValidation = true
      query = Query(
        body: .setOperation(
          SetOperation(
            kind: .union, isAll: true, isByName: true,
            left: try Self.marked(
              query, marks + [Self.item(Self.flag(false), Self.validation)], statement.source),
            right: try Self.marked(
              other, marks + [Self.item(Self.flag(true), Self.validation)], statement.source),
            span: query.span)), span: query.span)
    } else {
      if let filter {
        hasValidation = true
        var flag = try Self.parsed("x::BOOLEAN")
        if case .cast(var cast) = flag.kind {
          cast.operand = filter
          flag = SyntaxExpression(.cast(cast), span: filter.span)
        }
        marks.append(Self.item(flag, Self.validation))
      }
      if !marks.isEmpty {
        query = Query(body: try Self.marked(query, marks, statement.source), span: query.span)
      }
    }
    if statement.partitionBy != nil, interleaves {
      query = try Self.interleaved(query, statement.source)
    } else if !statement.orderBy.isEmpty {
      query = Query(body: .nested(query), orderBy: statement.orderBy, span: query.span)
    }
  }

  /// The first row of each shard, then the second of each, and so on.
  private static func interleaved(_ query: Query, _ source: ModelSource) throws -> Query {
    let turn = try parsed(
      "row_number() OVER (PARTITION BY \"\(partition)\" ORDER BY \"\(row)\")")
    let ranked = Query(
      body: try marked(query, [item(turn, Self.turn)], source), span: query.span)
    let pattern = "SELECT 1 ORDER BY \"\(Self.turn)\", \"\(partition)\""
    guard case .query(let ordered) = try Parser.parseStatement(pattern).statement else {
      throw SQLError(.internal, "the order of TRAIN did not parse")
    }
    return Query(body: .nested(ranked), orderBy: ordered.orderBy, span: query.span)
  }

  private static func parsed(_ sql: String) throws -> SyntaxExpression {
    try Parser.parseExpression(sql)
  }

  /// `SELECT *, marks FROM (query) AS source`.
  static func marked(_ query: Query, _ marks: [SelectItem], _ source: ModelSource) throws
    -> QueryBody
  {
    guard case .query(let pattern) = try Parser.parseStatement("SELECT * FROM t").statement,
      case .select(var select) = pattern.body
    else { throw SQLError(.internal, "the query of TRAIN did not parse") }
    var alias: TableAlias?
    if case .table(let name) = source { alias = TableAlias(name: name.last) }
    select.items += marks
    select.from = [
      TableReference(.derived(DerivedTable(query: query)), alias: alias, span: query.span)
    ]
    return .select(select)
  }

  static func item(_ expression: SyntaxExpression, _ name: String) -> SelectItem {
    SelectItem(
      expression: expression,
      alias: Identifier(name: name, quoted: true, span: expression.span), span: expression.span)
  }

  private static func flag(_ value: Bool) -> SyntaxExpression {
    SyntaxExpression(.literal(.boolean(value)), span: SourceSpan(0, 0))
  }

  /// `split_hash(key, seed) < fraction`: rows of one key stay together.
  private static func split(
    _ fraction: SyntaxExpression, _ key: SyntaxExpression, _ seed: UInt64
  ) throws -> SyntaxExpression {
    _ = try ModelQueries.fraction(fraction)
    let hash = FunctionCall(
      name: QualifiedName(Identifier(name: "split_hash", quoted: false, span: key.span)),
      arguments: [
        Argument(key),
        Argument(
          SyntaxExpression(.literal(.integer("\(seed & 0x7FFF_FFFF)")), span: key.span)),
      ])
    return SyntaxExpression(
      .binary(.less, SyntaxExpression(.function(hash), span: key.span), fraction),
      span: key.span)
  }
}
