import Columnar
import Diagnostics

/// Kernels over lists; lists of one column may share and reorder their child column freely.
enum ListKernels {
  /// Each row's two lists, one after the other; NULL when one is NULL.
  static func concatenated(
    _ a: Column, _ b: Column, _ count: Int, _ type: LogicalType
  ) -> Column {
    let element = type.elementType ?? .null
    var builder = ColumnBuilder(element, capacity: a.children[0].count + b.children[0].count)
    builder.append(a.children[0])
    builder.append(b.children[0])
    let both = builder.finish()
    let shift = a.children[0].count
    let x = ColumnReader<ListEntry>(a)
    let y = ColumnReader<ListEntry>(b)
    var total = 0
    for row in 0..<count where !x.isNull(row) && !y.isNull(row) {
      total += x[row].length + y[row].length
    }
    let picks = Selection(capacity: total)
    var position = 0
    let entries = Kernels.rows([a, b], count, type, ListEntry.self) { row in
      let start = position
      for item in 0..<x[row].length {
        picks.indices[position] = UInt32(truncatingIfNeeded: x[row].offset + item)
        position += 1
      }
      for item in 0..<y[row].length {
        picks.indices[position] = UInt32(truncatingIfNeeded: shift + y[row].offset + item)
        position += 1
      }
      return ListEntry(offset: start, length: position - start)
    }
    entries.replaceChildren([Column.dictionary(both, picks).flattened()])
    return entries
  }
}
