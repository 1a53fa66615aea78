import Columnar
import Diagnostics
import Syntax
import Synchronization

/// What names mean at one point of a query: the columns of its FROM clause, in order.
package struct Scope: Sendable {
  package struct Entry: Sendable {
    /// The table alias it came with; nil for expressions.
    package var table: String?
    package var name: String
    package var reference: ColumnReference
    /// The second copy of a USING column: reachable as `t.a` only, left out of `*`.
    package var isShadowed = false
    /// The first copy of a USING column: what the bare name means beside other tables' columns.
    package var isJoined = false
    /// A column that must be asked for by name (`rowid`).
    package var isHidden = false
  }

  package var entries: [Entry] = [] {
    didSet { names = entries.count < ScopeNames.worthwhile ? nil : ScopeNames() }
  }
  /// Of a scope with many columns: made at the first look-up.
  private var names: ScopeNames?
  /// For a FULL or RIGHT join's USING columns: what the bare name means.
  package var merged: [String: Expression] = [:]

  package var tables: [String] {
    var seen: Set<String> = []
    return entries.compactMap { entry in
      guard let table = entry.table, seen.insert(table).inserted else { return nil }
      return table
    }
  }

  /// Columns that `name` or `table.name` may mean.
  package func matches(table: String?, name: String) -> [Entry] {
    let wanted = name.lowercased()
    let qualifier = table?.lowercased()
    var found: [Entry] = []
    for index in places(of: wanted) {
      let entry = entries[index]
      if let qualifier {
        if entry.table?.isName(lowercased: qualifier) == true { found.append(entry) }
      } else if !entry.isShadowed || entry.isHidden {
        found.append(entry)
      }
    }
    if qualifier == nil, found.count > 1 {
      let joined = found.filter(\.isJoined)
      if joined.count == 1 { return joined }
    }
    return found
  }

  /// Of the entries of that name, which is in lower case.
  private func places(of wanted: String) -> [Int] {
    if let names { return names.places(of: wanted, in: entries) }
    return entries.indices.filter { entries[$0].name.isName(lowercased: wanted) }
  }

  /// Gives subqueries without alias the next free name: unnamed_subquery2, …
  mutating func numberUnnamed(beside left: Scope) {
    let unnamed = "unnamed_subquery"
    var taken = Set(left.tables.map { $0.lowercased() })
    for table in tables where table.hasPrefix(unnamed) && taken.contains(table) {
      var number = 2
      while taken.contains("\(unnamed)\(number)") || tables.contains("\(unnamed)\(number)") {
        number += 1
      }
      taken.insert("\(unnamed)\(number)")
      for index in entries.indices where entries[index].table == table {
        entries[index].table = "\(unnamed)\(number)"
      }
    }
  }

  package func appending(_ other: Scope) -> Scope {
    var joined = self
    joined.entries += other.entries
    joined.merged.merge(other.merged) { first, _ in first }
    return joined
  }
}

/// Where the names of a scope stand: a query that reads each of a table's many columns by name would
/// else compare each name with all others.
private final class ScopeNames: Sendable {
  static let worthwhile = 16

  private let known = Mutex<[String: [Int]]?>(nil)

  func places(of wanted: String, in entries: [Scope.Entry]) -> [Int] {
    known.withLock { known in
      let places = known ?? Self.places(entries)
      known = places
      return places[wanted] ?? []
    }
  }

  private static func places(_ entries: [Scope.Entry]) -> [String: [Int]] {
    var places: [String: [Int]] = [:]
    for (index, entry) in entries.enumerated() {
      places[entry.name.lowercased(), default: []].append(index)
    }
    return places
  }
}

/// A bound query: its plan and what its columns are called. `names` match `plan.output`.
package struct BoundQuery: Sendable {
  package var plan: Plan
  package var names: [String]

  package init(plan: Plan, names: [String]) {
    self.plan = plan
    self.names = names
  }

  package var fields: [Field] {
    zip(names, plan.output).map { Field($0, $1.type) }
  }
}

/// Subqueries met while binding a clause, to be joined to the clause's input.
final class SubqueryCollector {
  struct Entry {
    var plan: Plan
    var kind: JoinNode.Kind
    /// What IN compares: the operand, and the subquery's column.
    var keys: [(left: Expression, right: Expression)] = []
  }
  var entries: [Entry] = []

  /// The input with every collected subquery joined to it; the collector is empty again. A
  /// subquery that reads the input's columns makes a dependent join.
  func attach(to input: Plan) -> Plan {
    var plan = input
    for entry in entries {
      plan =
        DependentJoinNode(
          kind: entry.kind, left: plan, right: entry.plan,
          keys: entry.keys.map { ($0.left, $0.right, false) }
        ).plan
    }
    entries = []
    return plan
  }
}

extension SubqueryCollector {
  /// Hands over the subqueries that these expressions read, and those that they in turn need.
  func move(_ expressions: [Expression], to other: SubqueryCollector) {
    var needed = expressions.reduce(into: Set<Int>()) { $1.collectColumns(&$0) }
    var moved: [Entry] = []
    for index in entries.indices.reversed() {
      let entry = entries[index]
      var results = entry.plan.output.map(\.id)
      if case .mark(let mark) = entry.kind { results = [mark.id] }
      guard !needed.isDisjoint(with: results) else { continue }
      for key in entry.keys { key.left.collectColumns(&needed) }
      needed.formUnion(entry.plan.freeColumns)
      moved.append(entries.remove(at: index))
    }
    other.entries += moved.reversed()
  }
}

extension DependentJoinNode {
  /// Itself, or a plain join when the right side reads nothing of the left.
  var plan: Plan {
    let free = right.freeColumns
    if free.isEmpty || free.isDisjoint(with: left.output.map(\.id)) { return .join(join) }
    return .dependentJoin(self)
  }
}

/// Aggregates met while binding SELECT, HAVING and ORDER BY of one block.
final class AggregateCollector {
  var calls: [(call: BoundAggregate, reference: ColumnReference)] = []
  /// Of the SELECT list.
  var subqueries: SubqueryCollector?
  /// GROUPING(…): what it names must turn out to be keys.
  var groupings:
    [(
      arguments: [(expression: Expression, span: SourceSpan)], reference: ColumnReference,
      span: SourceSpan
    )] = []
}

/// Where an expression stands: what its names mean and what it may contain.
struct ExpressionContext {
  var scope: Scope
  /// The clause, as errors name it.
  var clause: String
  /// nil where aggregates are not allowed.
  var aggregates: AggregateCollector?
  /// nil where window functions are not allowed.
  var windows: WindowCollector?
  var subqueries: SubqueryCollector
  /// Subqueries inside aggregate arguments go below the aggregation.
  var innerSubqueries: SubqueryCollector?
  /// SELECT aliases that may be used here, lower case.
  var aliases: [String: SyntaxExpression] = [:]
  /// The alias that is being defined, which is none of them.
  var ownAlias: String?
  /// Aliases win over columns (ORDER BY).
  var prefersAliases = false
  var aliasDepth = 0
  /// PIVOT: what every aggregate's rows must satisfy besides their own FILTER.
  var aggregateFilter: Expression?
  /// nil where unnest is not allowed.
  var unnests: UnnestCollector?
  var isInsideUnnest = false
  /// nil where COLUMNS is not allowed.
  var columns: ColumnsExpansion?
  /// Lambda parameters in scope, lower case: they hide columns.
  var parameters: [String: Expression] = [:]
}
