import Columnar

/// Inner joins that meet without anything between them, taken apart: their inputs ("relations") and
/// all their conditions. Semi and anti joins on the way are taken along: they only filter their left
/// side, so they may be decided at one relation or above all of them. So are left, mark and single
/// joins whose right columns no condition here reads: they keep every row of their left side.
///
///     join(inner: b.y = c.y)               relations: a, b, c
///       semi join(a.x = s.x)         ->    conditions: a.k = b.k, b.y = c.y
///         join(inner: a.k = b.k)           filters: semi join with s on a.x = s.x
///           a, b                s
///       c
struct JoinRegion {
  /// A condition, and the relations it reads.
  struct Condition {
    enum Form {
      /// `left = right`, or IS NOT DISTINCT FROM.
      case equality(Expression, Expression, nullSafe: Bool)
      case other(Expression)
    }
    var form: Form
    var relations: [Int]
  }

  /// A join that only filters or widens rows, its left side taken away.
  struct RowFilter {
    var node: JoinNode
    var relations: [Int]
  }

  var relations: [Plan] = []
  var conditions: [Condition] = []
  var filters: [RowFilter] = []
  /// What is decided above everything: volatile conditions.
  var late: [Expression] = []
  /// Columns that projections in between renamed.
  private var renames: [Int: Expression] = [:]
  /// The relation that gives a column.
  private var owners: [Int: Int] = [:]
  /// Columns that conditions met so far read.
  private var used: Set<Int> = []

  /// Whether a plan is one worth taking apart: an inner join, perhaps under semi and anti joins.
  static func begins(at plan: Plan) -> Bool {
    guard case .join(let node) = plan, isOrderable(node) else { return false }
    switch node.kind {
    case .inner: return true
    case .semi, .anti: return begins(at: node.left)
    case .left, .right, .full, .mark, .single: return false
    }
  }

  private static func isOrderable(_ node: JoinNode) -> Bool {
    if node.isAsof { return false }
    for key in node.keys where key.left.containsPredict || key.right.containsPredict {
      return false
    }
    return node.residual?.containsPredict != true
  }

  /// `order` is applied to every relation and right side first.
  init(_ plan: Plan, order: (Plan) -> Plan) { collect(plan, order) }

  private mutating func collect(_ plan: Plan, _ order: (Plan) -> Plan) {
    switch plan {
    case .join(let node) where Self.isOrderable(node) && node.kind == .inner:
      for key in node.keys {
        key.left.collectColumns(&used)
        key.right.collectColumns(&used)
      }
      node.residual?.collectColumns(&used)
      collect(node.left, order)
      collect(node.right, order)
      for key in node.keys { addEquality(key.left, key.right, key.nullSafe) }
      for condition in node.residual?.conjuncts ?? [] { add(condition) }
    case .join(var node)
    where Self.isOrderable(node) && node.residual?.isVolatile != true && isSeparable(node):
      for key in node.keys { key.left.collectColumns(&used) }
      node.residual?.collectColumns(&used)
      collect(node.left, order)
      node.left = .values(ValuesNode(columns: [], rows: []))
      node.right = order(node.right)
      node.keys = node.keys.map { ($0.left.substituting(renames), $0.right, $0.nullSafe) }
      node.residual = node.residual?.substituting(renames)
      var read = node.residual?.columnIDs ?? []
      for key in node.keys { key.left.collectColumns(&read) }
      filters.append(RowFilter(node: node, relations: relations(of: read)))
    case .project(let node)
    where Self.begins(at: node.input) && node.items.allSatisfy({ Self.isPlain($0.expression) }):
      for (expression, reference) in node.items where used.contains(reference.id) {
        expression.collectColumns(&used)
      }
      collect(node.input, order)
      for (expression, reference) in node.items {
        if case .column(let source) = expression, source.id == reference.id { continue }
        renames[reference.id] = expression.substituting(renames)
      }
    case .scan, .values, .filter, .project, .aggregate, .join, .sort, .limit, .union, .predict,
      .rows, .exchange, .window, .unnest, .sample, .positionalJoin, .with, .sharedScan, .recursive,
      .dependentJoin, .distinctOn:
      let number = relations.count
      relations.append(order(plan))
      for reference in plan.output { owners[reference.id] = number }
    }
  }

  /// Whether the join may be decided apart from its place among inner joins.
  private func isSeparable(_ node: JoinNode) -> Bool {
    switch node.kind {
    case .semi, .anti: return true
    case .left, .single: return node.right.output.allSatisfy { !used.contains($0.id) }
    case .mark(let mark): return !used.contains(mark.id)
    case .inner, .right, .full: return false
    }
  }

  private static func isPlain(_ expression: Expression) -> Bool {
    switch expression {
    case .column, .constant: true
    case .call, .cast, .and, .or, .not, .isNull, .caseWhen, .inList, .predict, .listLambda: false
    }
  }

  private mutating func addEquality(_ left: Expression, _ right: Expression, _ nullSafe: Bool) {
    let (a, b) = (left.substituting(renames), right.substituting(renames))
    let read = relations(of: a.columnIDs.union(b.columnIDs))
    conditions.append(
      Condition(form: .equality(a, b, nullSafe: nullSafe), relations: read))
  }

  private mutating func add(_ condition: Expression) {
    let condition = condition.substituting(renames)
    let read = relations(of: condition.columnIDs)
    if condition.isVolatile {
      late.append(condition)
    } else {
      conditions.append(Condition(form: .other(condition), relations: read))
    }
  }

  /// A column as the relations give it.
  func resolved(_ reference: ColumnReference) -> Expression {
    renames[reference.id] ?? .column(reference)
  }

  /// Ascending; columns of nobody (of an outer query) do not count.
  func relations(of ids: Set<Int>) -> [Int] { Set(ids.compactMap { owners[$0] }).sorted() }
}
