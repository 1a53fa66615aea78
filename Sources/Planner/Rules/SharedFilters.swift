/// A shared query that all its readers filter makes only the rows that one of them wants:
///
///     With totals                              With totals
///     ├─ Aggregate: by year                    ├─ Aggregate: by year
///     │  └─ Scan sales                         │  └─ Filter: year = 1 or year = 2
///     └─ Join                                  │     └─ Scan sales
///        ├─ Filter: year = 1                   └─ Join
///        │  └─ Read totals                        ├─ Filter: year = 1
///        └─ Filter: year = 2                      │  └─ Read totals
///           └─ Read totals                        └─ …
///
/// The readers' filters stay. Conditions that can fail, or differ from time to time, stay out.
enum SharedFilters {
  /// Readers beyond which their conditions together are not worth asking.
  private static let mostReaders = 8

  static func apply(_ plan: Plan) -> Plan {
    // Inner queries first: what goes into their definitions may be filters of readers of outer ones.
    let below = plan.mapChildren(apply)
    guard case .with(var node) = below else { return below }
    let columns = node.definition.output
    var arms: [Expression]? = []
    collect(node.body, node.shared, columns, &arms)
    guard let arms, !arms.isEmpty, arms.count <= mostReaders else { return below }
    let wanted = arms.count == 1 ? arms[0] : .or(arms)
    let filtered = Plan.filter(FilterNode(input: node.definition, condition: wanted))
    // Branches of a union may decide a condition by a constant of theirs.
    node.definition = Optimizer.foldExpressions(FilterPushdown.apply(filtered))
    return .with(node)
  }

  /// Adds what each reader of the query wants, in terms of its definition's columns; nil once some
  /// reader wants everything.
  private static func collect(
    _ plan: Plan, _ shared: SharedQuery, _ columns: [ColumnReference], _ arms: inout [Expression]?
  ) {
    switch plan {
    case .filter(let node):
      guard case .sharedScan(let scan) = node.input, scan.shared === shared else { break }
      let own = Set(scan.columns.map(\.reference.id))
      let replacements = Dictionary(
        firstOf: scan.columns.map { ($0.reference.id, Expression.column(columns[$0.position])) })
      let terms = node.condition.conjuncts.filter {
        !$0.columnIDs.isEmpty && $0.columnIDs.isSubset(of: own) && !$0.canFail && !$0.isVolatile
          && !$0.containsPredict
      }
      let arm = Expression.conjunction(terms)?.substituting(replacements)
      arms = arm.flatMap { arm in arms.map { $0 + [arm] } }
      return
    case .sharedScan(let scan) where scan.shared === shared:
      arms = nil
      return
    default: break
    }
    for child in plan.children { collect(child, shared, columns, &arms) }
  }
}
