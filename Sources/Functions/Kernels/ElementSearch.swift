import Columnar

/// Where in each row's list an element is.
enum ElementSearch {
  /// The place within its list of the first element that equals the row's wanted value, -1 where
  /// there is none; NULL is equal to NULL. Rows whose list is NULL give -1.
  static func places(of wanted: Column, in lists: Column, _ count: Int) -> [Int32] {
    let child = lists.children[0]
    if child.type.isNested || child.type == .null || child.encoding != .flat {
      let entries = ColumnReader<ListEntry>(lists)
      return (0..<count).map { row in
        if lists.isNull(row) { return -1 }
        let entry = entries[row]
        let found = (0..<entry.length).first {
          NestedComparison.compare(child, entry.offset + $0, wanted, row) == 0
        }
        return Int32(truncatingIfNeeded: found ?? -1)
      }
    }
    let search = TypedSearch(wanted: wanted, lists: lists, count: count)
    return (try? withOrderedType(child.type.physical, search)) ?? []
  }

  private struct TypedSearch: OrderedTypeVisitor {
    let wanted: Column
    let lists: Column
    let count: Int

    func visit<T: OrderedValue>(_ type: T.Type) -> [Int32] {
      let entries = ColumnReader<ListEntry>(lists)
      let child = lists.children[0]
      let items = child.values(as: T.self)
      let sought = ColumnReader<T>(wanted)
      var places = [Int32](repeating: -1, count: count)
      for row in 0..<count where !lists.isNull(row) {
        let entry = entries[row]
        if sought.isNull(row) {
          for item in 0..<entry.length where child.isNull(entry.offset + item) {
            places[row] = Int32(truncatingIfNeeded: item)
            break
          }
          continue
        }
        let value = sought[row]
        for item in 0..<entry.length where T.equals(items[entry.offset + item], value) {
          if child.isNull(entry.offset + item) { continue }
          places[row] = Int32(truncatingIfNeeded: item)
          break
        }
      }
      return places
    }
  }
}
