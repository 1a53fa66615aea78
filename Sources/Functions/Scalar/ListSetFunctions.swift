import Columnar
import Diagnostics

/// Lists as sets, and elements chosen by position or by truth. NULL elements are members of no
/// set.
enum ListSetFunctions {
  static let rows: [ScalarFunction] = [
    ScalarFunction(
      "list_distinct", aliases: ["array_distinct"], category: "list",
      summary: "The elements without repetitions and NULLs, in order of first appearance.",
      examples: [("list_distinct([2, 1, NULL, 2])", "[2, 1]")],
      overloads: [
        ScalarOverload([.anyList], resultFrom: { $0[0] }) { a, n, t in
          var set = ElementSet(a[0].children[0])
          let cancellation = Cancellation.current
          return try ListKernels.rebuilt(a[0], n, t) { entry, child, picks in
            set.reset(capacity: entry.length)
            for place in entry.offset..<(entry.offset + entry.length) where !child.isNull(place) {
              try cancellation.check()
              if set.insert(place) { picks.append(place) }
            }
          }
        }
      ]),
    ScalarFunction(
      "list_has_all", aliases: ["array_has_all", "@>"], category: "list",
      summary: "Whether the first list has every element of the second.",
      examples: [("list_has_all([1, 2, 3], [3, 1])", "true")],
      overloads: [comparing { found, wanted in found == wanted }]),
    ScalarFunction(
      "<@", category: "operator",
      summary: "Whether the second list has every element of the first.",
      examples: [("[3, 1] <@ [1, 2, 3]", "true")],
      overloads: [comparing(swapped: true) { found, wanted in found == wanted }]),
    ScalarFunction(
      "list_has_any", aliases: ["array_has_any", "&&"], category: "list",
      summary: "Whether the lists have an element in common.",
      examples: [("list_has_any([1, 2], [2, 3])", "true")],
      overloads: [comparing { found, _ in found > 0 }]),
    ScalarFunction(
      "list_intersect", aliases: ["array_intersect"], category: "list",
      summary: "The elements that both lists have, each once, in the order of the first list.",
      examples: [("list_intersect([3, 1, 2, 1], [1, 3])", "[3, 1]")],
      overloads: [
        ScalarOverload(
          [.any, .any], resultFrom: { $0[0] }, coerce: sameLists, nulls: .custom,
          kernel: { a, n, t in
            let y = ColumnReader<ListEntry>(a[1])
            let other = a[1].children[0]
            var set = ElementSet(other)
            var seen = ElementSet(a[0].children[0])
            let hashes = ElementSet.hashes(of: a[0].children[0])
            var row = -1
            let x = ColumnReader<ListEntry>(a[0])
            let child = a[0].children[0]
            var picks: [Int] = []
            // With a NULL list nothing is in common, but a NULL first list is NULL.
            let result = try Kernels.rows([a[0]], n, t, ListEntry.self) { index in
              row = index
              if y.isNull(row) { return ListEntry(offset: picks.count, length: 0) }
              try fill(&set, other, y[row])
              seen.reset(capacity: x[row].length)
              let start = picks.count
              for place in x[row].offset..<(x[row].offset + x[row].length)
              where !child.isNull(place) && set.contains(child, place, hash: hashes[place])
                && seen.insert(place)
              { picks.append(place) }
              return ListEntry(offset: start, length: picks.count - start)
            }
            result.replaceChildren([Column.dictionary(child, Selection(picks)).flattened()])
            return result
          })
      ]),
    ScalarFunction(
      "list_select", aliases: ["array_select"], category: "list",
      summary: "The elements at these positions, from 1; NULL where there is none.",
      examples: [("list_select([10, 20, 30], [3, 1, 9])", "[30, 10, NULL]")],
      overloads: [
        ScalarOverload([.anyList, .exactly(.list(.bigint))], resultFrom: { $0[0] }) { a, n, t in
          let places = ColumnReader<Int64>(a[1].children[0])
          return try choosing(a, n, t) { own, item, position in
            if places.isNull(item) { throw nullInSecond() }
            let place = places[item]
            return place >= 1 && place <= Int64(own.length) ? own.offset + Int(place) - 1 : -1
          }
        }
      ]),
    ScalarFunction(
      "list_unique", aliases: ["array_unique"], category: "list",
      summary: "How many different elements there are, NULLs not counted.",
      examples: [("list_unique([1, 1, NULL, 2])", "2")],
      overloads: [
        ScalarOverload([.anyList], returns: .ubigint) { a, n, t in
          let x = ColumnReader<ListEntry>(a[0])
          let child = a[0].children[0]
          var set = ElementSet(child)
          return try Kernels.rows(a, n, t, UInt64.self) { row in
            try fill(&set, child, x[row])
            return UInt64(set.count)
          }
        }
      ]),
    ScalarFunction(
      "list_where", aliases: ["array_where"], category: "list",
      summary: "The elements where the second list is true.",
      examples: [("list_where([10, 20, 30], [true, false, true])", "[10, 30]")],
      overloads: [
        ScalarOverload([.anyList, .exactly(.list(.boolean))], resultFrom: { $0[0] }) { a, n, t in
          let mask = ColumnReader<UInt8>(a[1].children[0])
          return try choosing(a, n, t) { own, item, position in
            if mask.isNull(item) { throw nullInSecond() }
            if mask[item] == 0 { return nil }
            return position < own.length ? own.offset + position : -1
          }
        }
      ]),
  ]

  private static func sameLists(_ types: [LogicalType]) throws -> [LogicalType] {
    let lists = types.map { type in
      type == .null ? .list(.null) : type.elementType.map { LogicalType.list($0) } ?? type
    }
    guard let common = ImplicitCast.commonType(lists[0], lists[1]), case .list = common else {
      throw SQLError(.binder, "two lists are needed, not \(types[0]) and \(types[1])")
    }
    return [common, common]
  }

  private static func fill(
    _ set: inout ElementSet, _ child: Column, _ entry: ListEntry
  ) throws {
    let cancellation = Cancellation.current
    set.reset(capacity: entry.length)
    for place in entry.offset..<(entry.offset + entry.length) where !child.isNull(place) {
      try cancellation.check()
      _ = set.insert(place)
    }
  }

  /// `holds` is told how many of the elements looked for were found, and how many there are.
  private static func comparing(
    swapped: Bool = false, _ holds: @escaping @Sendable (_ found: Int, _ wanted: Int) -> Bool
  ) -> ScalarOverload {
    ScalarOverload(
      [.any, .any], resultFrom: { _ in .boolean }, coerce: sameLists,
      kernel: { a, n, _ in
        let (owner, other) = swapped ? (a[1], a[0]) : (a[0], a[1])
        let x = ColumnReader<ListEntry>(owner)
        let y = ColumnReader<ListEntry>(other)
        let (own, sought) = (owner.children[0], other.children[0])
        var set = ElementSet(own)
        let hashes = ElementSet.hashes(of: sought)
        return try Kernels.predicate(a, n) { row in
          try fill(&set, own, x[row])
          var found = 0
          var wanted = 0
          for place in y[row].offset..<(y[row].offset + y[row].length) where !sought.isNull(place) {
            wanted += 1
            if set.contains(sought, place, hash: hashes[place]) { found += 1 }
          }
          return holds(found, wanted)
        }
      })
  }

  /// A list of what `pick` gives for each element of the second list: a place among the first
  /// one's elements, a negative number for NULL, nil for nothing.
  private static func choosing(
    _ a: [Column], _ count: Int, _ type: LogicalType,
    _ pick: (_ own: ListEntry, _ item: Int, _ position: Int) throws -> Int?
  ) throws -> Column {
    let x = ColumnReader<ListEntry>(a[0])
    let y = ColumnReader<ListEntry>(a[1])
    var picks: [Int] = []
    let result = try Kernels.rows(a, count, type, ListEntry.self) { row in
      let start = picks.count
      for position in 0..<y[row].length {
        if let place = try pick(x[row], y[row].offset + position, position) { picks.append(place) }
      }
      return ListEntry(offset: start, length: picks.count - start)
    }
    let items = ListKernels.picked(a[0].children[0], picks.count) {
      picks[$0] < 0 ? nil : picks[$0]
    }
    result.replaceChildren([items.flattened()])
    return result
  }

  private static func nullInSecond() -> SQLError {
    SQLError(.invalidInput, "NULL is not allowed among the elements of the second list")
  }
}
