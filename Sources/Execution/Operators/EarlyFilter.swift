import Columnar
import Planner

/// The part of a filter, and of what operators above tell a scan, that a scan can be asked about before
/// it decodes the columns that nobody compares: conditions that cannot fail. Where most batches pass
/// it is not worth asking; then it rests.
final class EarlyFilter {
  private let filter: RowFilter
  private var asked = 0
  private var passed = 0
  private var rest = 0
  /// Batches after which it is known whether asking pays, and batches that are then left alone.
  private static let trial = 16
  private static let pause = 240

  private init(_ filter: RowFilter) { self.filter = filter }

  /// The look for the scan of these columns; nil when it would be shown all of them, or none.
  static func look(
    columns: [ColumnReference], condition: Expression?,
    runtime: [(filter: RuntimeFilter, column: Int)]
  ) throws -> FirstLook? {
    let safe = (condition?.conjuncts ?? []).filter { !$0.canFail && !$0.isVolatile }
    var needed = Set(runtime.map(\.column))
    let read = safe.reduce(into: Set<Int>()) { $1.collectColumns(&$0) }
    for (place, reference) in columns.enumerated() where read.contains(reference.id) {
      needed.insert(place)
    }
    if needed.isEmpty || needed.count == columns.count { return nil }
    let places = needed.sorted()
    var layout: [Int: Int] = [:]
    for (position, place) in places.enumerated() { layout[columns[place].id] = position }
    let early = EarlyFilter(
      try RowFilter(
        Expression.conjunction(safe), layout: layout,
        runtime: runtime.compactMap { entry in
          places.firstIndex(of: entry.column).map { (entry.filter, $0) }
        }))
    return FirstLook(columns: places) { try early.mayPass($0) }
  }

  private func mayPass(_ batch: Batch) throws -> Bool {
    if rest > 0 {
      rest -= 1
      return true
    }
    let rows = try filter.select(batch)
    asked += 1
    let isWanted = rows.map { $0.count > 0 } ?? true
    if isWanted { passed += 1 }
    if asked == EarlyFilter.trial {
      if passed * 2 > asked { rest = EarlyFilter.pause }
      asked = 0
      passed = 0
    }
    return isWanted
  }
}
