import Columnar
import Diagnostics

/// Counts of values as a MAP.
let histogramAggregates: [AggregateFunction] = [
  AggregateFunction(
    "histogram",
    summary:
      "A MAP of each value to how often it comes; with a list of bounds, of each bound to the "
      + "values up to it and above the bound before, the type's greatest value to those beyond.",
    examples: [("histogram(x // 2)", "{0=1, 1=2}"), ("histogram(x, [1, 2])", bounded)],
    overloads: [
      frequency(.histogram, result: { .map(key: $0[0], value: .ubigint) }),
      binned(isExact: false),
    ]),
  AggregateFunction(
    "histogram_exact",
    summary:
      "A MAP of each of the listed values to how often it comes, the type's greatest value to "
      + "the number of others.",
    examples: [("histogram_exact(x, [1, 2])", bounded)],
    overloads: [binned(isExact: true)]),
]

private let bounded = "{1=1, 2=1, 2147483647=1}"

private func entry(_ key: Value, _ count: Int) -> Value {
  .structure([key, .integer(Int128(count))])
}

/// The place of each different value, ascending.
private func distinctPlaces(_ column: Column) -> [Int] {
  let rows = (0..<column.count).sorted { a, b in
    let found = NestedComparison.compare(column, a, column, b)
    return found == 0 ? a < b : found < 0
  }
  var places: [Int] = []
  for row in rows {
    if let last = places.last, NestedComparison.compare(column, last, column, row) == 0 { continue }
    places.append(row)
  }
  return places
}

/// The values counted by a list of bounds, or of the values themselves.
private func binned(isExact: Bool) -> AggregateOverload {
  AggregateOverload(
    [.any, .any], resultFrom: { .map(key: $0[0], value: .ubigint) },
    coerce: { types in
      // The bounds are values as the counted ones are; decimals are counted as DOUBLE.
      let counted = types[0].isDecimal ? .double : types[0]
      guard let item = types[1] == .null ? .null : types[1].elementType,
        Cast.exists(from: item, to: counted)
      else {
        throw SQLError(.binder, "a histogram of \(types[0]) has no bounds of \(types[1])")
      }
      return [counted, .list(counted)]
    },
    makeState: { types, result in
      guard types[0].isNested else {
        return CollectedState(keeping: [types[0]], required: [0], result: result) {
          columns, n, constants in
          let bounds = try Column.constant(constants.first ?? .null, types[1], count: 1)
          return try bins(columns[0], n, bounds, isExact) { columns, place in columns.value(place) }
        }
      }
      let list = types[1]
      return keepingBytes(types, result, resultElement: true) { types, result in
        CollectedState(keeping: [types[0]], required: [0], result: result) {
          columns, n, constants in
          let bytes = try Column.constant(constants.first ?? .null, .blob, count: 1).flattened()
          let bounds = OrderedBytes.decode(bytes, as: list, forEquality: false)
          return try bins(columns[0], n, bounds, isExact) { columns, place in columns.value(place) }
        }
      }
    })
}

private func bins(
  _ values: Column, _ count: Int, _ list: Column, _ isExact: Bool,
  _ value: (Column, Int) -> Value
) throws -> Value {
  if list.isNull(0) { throw SQLError(.binder, "the bounds of a histogram cannot be NULL") }
  let run = ColumnReader<ListEntry>(list)[0]
  let elements = list.children[0].slice(run.offset, run.length)
  for place in 0..<elements.count where elements.isNull(place) {
    throw SQLError(.binder, "a bound of a histogram cannot be NULL")
  }
  let isEncoded = elements.type.isNested
  let other = largest(elements.type)
  let bounds =
    isEncoded
    ? OrderedBytes.encode(elements, count: elements.count, forEquality: false) : elements
  let places = distinctPlaces(bounds)
  var counts = [Int](repeating: 0, count: places.count)
  var beyond = 0
  for row in 0..<count {
    // The first bound that is not below the value.
    var (low, high) = (0, places.count)
    while low < high {
      let middle = (low + high) / 2
      if NestedComparison.compare(bounds, places[middle], values, row) < 0 {
        low = middle + 1
      } else {
        high = middle
      }
    }
    let isFound =
      low < places.count
      && (!isExact || NestedComparison.compare(bounds, places[low], values, row) == 0)
    if isFound { counts[low] += 1 } else { beyond += 1 }
  }
  var entries = zip(places, counts).map { entry(value(bounds, $0), $1) }
  if beyond > 0, case .list = elements.type {
    let none = try Column.constant(.list([]), elements.type, count: 1)
    let bytes = OrderedBytes.encode(none, count: 1, forEquality: false)
    entries.append(entry(value(bytes, 0), beyond))
  } else if beyond > 0, let other {
    entries.append(entry(other, beyond))
  }
  return .list(entries)
}

/// The key of what is beyond all bounds; nil where a type has none.
private func largest(_ type: LogicalType) -> Value? {
  switch type {
  case .tinyint: .integer(Int128(Int8.max))
  case .smallint: .integer(Int128(Int16.max))
  case .integer: .integer(Int128(Int32.max))
  case .bigint: .integer(Int128(Int64.max))
  case .hugeint: .integer(.max)
  case .utinyint: .integer(Int128(UInt8.max))
  case .usmallint: .integer(Int128(UInt16.max))
  case .uinteger: .integer(Int128(UInt32.max))
  case .ubigint: .integer(Int128(UInt64.max))
  case .uhugeint: .unsigned(.max)
  case .float: .float(.infinity)
  case .double: .double(.infinity)
  case .varchar: .varchar("")
  case .time: .time(Calendar.microsecondsPerDay)
  default: nil
  }
}
