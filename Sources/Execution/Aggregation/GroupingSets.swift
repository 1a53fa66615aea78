import Columnar
import Functions

/// The grouping sets of an aggregation: which keys group each, and from which larger set it can be
/// made.
///
/// A set that is part of another needs no look at the rows: its groups are those of the larger set,
/// merged. So ROLLUP (a, b, c) groups the input once, by (a, b, c), and the cost of the others
/// depends on the number of groups.
struct GroupingSets {
  /// Of each set its keys, as positions in the list of all keys.
  let sets: [[Int]]
  /// Of each GROUPING(…) its keys.
  let groupings: [[Int]]
  /// Of each set the set that it is merged from; nil for those that group the rows themselves.
  let parents: [Int?]
  /// The sets in an order in which parents come first.
  let mergeOrder: [Int]

  init(keyCount: Int, sets: [[Int]], groupings: [[Int]], calls: [AggregateCall]) {
    self.sets = sets.isEmpty ? [Array(0..<keyCount)] : sets
    self.groupings = groupings
    let all = self.sets
    let members = all.map(Set.init)
    let mayMerge = all.count > 1 && calls.allSatisfy(GroupingSets.isMergeable)
    parents = all.indices.map { index in
      guard mayMerge else { return nil }
      let larger = all.indices.filter { other in
        members[other].isSuperset(of: members[index])
          && (members[other].count > members[index].count || other < index)
      }
      return larger.min { members[$0].count < members[$1].count }
    }
    mergeOrder = all.indices.sorted {
      (members[$1].count, $0) < (members[$0].count, $1)
    }
  }

  /// Whether merged states are what the rows themselves would give: not where the order counts.
  private static func isMergeable(_ call: AggregateCall) -> Bool {
    call.order.isEmpty && !orderSensitive.contains(call.resolved.function.name)
  }

  private static let orderSensitive: Set<String> = [
    "any_value", "arg_max", "arg_max_null", "arg_min", "arg_min_null", "first", "last", "list",
    "mode", "string_agg",
  ]

  /// A batch of one set's groups as the operator gives it.
  func laidOut(_ columns: [Column], set: Int, keyTypes: [LogicalType], count: Int) -> [Column] {
    let own = sets[set]
    var result: [Column] = []
    for key in keyTypes.indices {
      if let position = own.firstIndex(of: key) {
        result.append(columns[position])
      } else {
        result.append(Column.nulls(keyTypes[key], count: count))
      }
    }
    result += columns[own.count...]
    for keys in groupings {
      var bits: Int64 = 0
      for key in keys { bits = bits << 1 | (own.contains(key) ? 0 : 1) }
      let one = Column(flat: .bigint, count: 1)
      one.values(as: Int64.self)[0] = bits
      result.append(Column(repeating: one, count: count))
    }
    return result
  }
}
