import Columnar

/// A state over arguments or results of nested types, kept by an inner state as bytes that compare
/// like the values.
final class BytesState: AggregateState {
  private let inner: any AggregateState
  private let types: [LogicalType]
  private let result: LogicalType

  init(_ inner: any AggregateState, types: [LogicalType], result: LogicalType) {
    self.inner = inner
    self.types = types
    self.result = result
  }

  var byteCount: Int { inner.byteCount }

  func resize(groups count: Int) { inner.resize(groups: count) }

  private func encoded(_ arguments: [Column], _ count: Int) -> [Column] {
    zip(arguments, types).map { argument, type in
      type.isNested ? OrderedBytes.encode(argument, count: count, forEquality: false) : argument
    }
  }

  func update(_ arguments: [Column], groups: UnsafePointer<UInt32>, count: Int) throws {
    try inner.update(encoded(arguments, count), groups: groups, count: count)
  }

  func update(_ arguments: [Column], count: Int) throws {
    try inner.update(encoded(arguments, count), count: count)
  }

  func merge(
    _ other: any AggregateState, source: UnsafePointer<UInt32>, target: UnsafePointer<UInt32>,
    count: Int
  ) throws {
    try inner.merge(
      sameState(other, as: BytesState.self).inner, source: source, target: target, count: count)
  }

  func finish(first: Int, count: Int) throws -> Column {
    let column = try inner.finish(first: first, count: count)
    if case .list(let element) = result, element.isNested, column.type == .list(.blob) {
      let items = OrderedBytes.decode(column.children[0], as: element, forEquality: false)
      return Column(
        type: result, count: column.count, data: column.data, validity: column.validity,
        children: [items], owners: [column])
    }
    if case .map(let key, let value) = result, key.isNested,
      column.type == .map(key: .blob, value: value)
    {
      let (keys, values) = MapKernels.parts(column)
      let decoded = OrderedBytes.decode(keys, as: key, forEquality: false)
      return MapKernels.rewrapped(
        column, as: result, over: MapKernels.entries(result, decoded, values))
    }
    if result.isNested && column.type == .blob {
      return OrderedBytes.decode(column, as: result, forEquality: false)
    }
    return column
  }
}

/// The state that `make` gives for these types, or, where nested types take part, for BLOB in their
/// place, behind a `BytesState`.
func keepingBytes(
  _ types: [LogicalType], _ result: LogicalType, resultElement: Bool = false,
  _ make: ([LogicalType], LogicalType) -> any AggregateState
) -> any AggregateState {
  if !types.contains(where: \.isNested) { return make(types, result) }
  let inner = types.map { $0.isNested ? LogicalType.blob : $0 }
  var innerResult = result
  if case .list(let element) = result, resultElement {
    innerResult = element.isNested ? .list(.blob) : result
  } else if case .map(let key, let value) = result, resultElement {
    innerResult = .map(key: key.isNested ? .blob : key, value: value)
  } else if result.isNested {
    innerResult = .blob
  }
  return BytesState(make(inner, innerResult), types: types, result: result)
}
