import Columnar
import Diagnostics

/// Functions of lists.
enum ListFunctions {
  static let rows: [ScalarFunction] = []

  static let containing = ScalarOverload(
    [.anyList, .any], resultFrom: { _ in .boolean }, coerce: sought,
    kernel: { a, n, _ in
      let x = ColumnReader<ListEntry>(a[0])
      let child = a[0].children[0]
      return Kernels.predicate(a, n) { row in find(x[row], child, a[1], row) != nil }
    })

  /// The list and what is looked for, as a common element type.
  static func sought(_ types: [LogicalType]) throws -> [LogicalType] {
    guard let element = types[0] == .null ? .null : types[0].elementType,
      let common = ImplicitCast.commonType(element, types[1])
    else { throw SQLError(.binder, "cannot look for \(types[1]) in \(types[0])") }
    return [.list(common), common]
  }

  static func find(_ entry: ListEntry, _ child: Column, _ wanted: Column, _ row: Int) -> Int? {
    for item in 0..<entry.length
    where NestedComparison.compare(child, entry.offset + item, wanted, row) == 0 { return item }
    return nil
  }
}
