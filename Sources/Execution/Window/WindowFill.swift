import Columnar
import Diagnostics

/// Where a row's result of fill comes from.
private enum Origin: UInt8, BitwiseCopyable {
  case own
  /// Between two points: integers are cut.
  case between
  /// On the line before the first or behind the last point: integers are rounded.
  case beyond
  /// NULL stays.
  case none
}

extension WindowChunk {
  /// fill: NULLs become points on the line through the nearest values before and after, or, at the
  /// ends, through the two nearest. Rows without a finite key have no place on a line.
  func filled(_ call: WindowCall) throws -> Column {
    var places: Numbers?
    let key: Column
    if let item = call.order.first {
      key = sorted(item.column)
      places = try argumentOrder(call, KeptRows(all: count)).pick
    } else if let source = call.frame.key {
      key = sorted(source)
    } else {
      throw SQLError(.internal, "fill has no key")
    }
    let values = sorted(call.arguments[0])
    if !values.mayHaveNulls { return values }
    let x = doubles(key)
    let y = doubles(values)
    let line = FillLine(x: x, y: y)
    let partition = partitions
    let results = allocate(Double.self, count)
    let origins = allocate(Origin.self, count)
    origins.update(repeating: .own, count: count)
    // With an order of its own, rows are visited partition by partition in that order.
    var visit = Array(0..<count)
    if let places { visit = visit.map { Int(places[$0]) } }
    if places != nil {
      let position = visit
      let sorted = position.indices.sorted { (a: Int, b: Int) -> Bool in
        let (left, right) = (partition.start[position[a]], partition.start[position[b]])
        return left == right ? a < b : left < right
      }
      visit = sorted.map { position[$0] }
    }
    var start = 0
    while start < count {
      let end = Int(partition.end[visit[start]])
      let rows = visit[start..<end]
      let points = rows.filter { !values.isNull($0) && !key.isNull($0) && x[$0].isFinite }
      var next = 0
      var reached = 0
      for row in rows {
        if reached < points.count, points[reached] == row { reached += 1 }
        next = reached
        if !values.isNull(row) { continue }
        if key.isNull(row) || !x[row].isFinite || points.isEmpty {
          origins[row] = .none
        } else if points.count == 1 {
          (results[row], origins[row]) = (y[points[0]], .between)
        } else {
          let isInside = next > 0 && next < points.count
          let first = isInside ? next - 1 : next == 0 ? 0 : points.count - 2
          results[row] = line.value(at: row, points[first], points[first + 1])
          origins[row] = isInside ? .between : .beyond
        }
      }
      start = end
    }
    withExtendedLifetime((key, values)) {}
    return column(values, results, UnsafePointer(origins))
  }

  /// The values with new ones in place of NULLs.
  private func column(
    _ values: Column, _ results: UnsafeMutablePointer<Double>, _ origins: UnsafePointer<Origin>
  ) -> Column {
    let result = Column(flat: values.type, count: count)
    func integers<T: FixedWidthInteger & BitwiseCopyable>(_ type: T.Type) {
      let source = values.values(as: T.self)
      let target = result.values(as: T.self)
      for row in 0..<count {
        target[row] = values.isNull(row) ? 0 : source[row]
        if origins[row] == .own { continue }
        let rounded =
          origins[row] == .between
          ? results[row].rounded(.towardZero) : (results[row] + 0.5).rounded(.down)
        if origins[row] != .none, let value = T(exactly: rounded) {
          target[row] = value
        } else {
          target[row] = 0
          result.setNull(row)
        }
      }
    }
    func floats<T: BinaryFloatingPoint & BitwiseCopyable>(_ type: T.Type) {
      let source = values.values(as: T.self)
      let target = result.values(as: T.self)
      for row in 0..<count {
        target[row] =
          origins[row] == .own ? source[row] : T(origins[row] == .none ? 0 : results[row])
        if origins[row] == .none { result.setNull(row) }
      }
    }
    switch values.type.physical {
    case .bool, .uint8: integers(UInt8.self)
    case .int8: integers(Int8.self)
    case .int16: integers(Int16.self)
    case .int32: integers(Int32.self)
    case .int64: integers(Int64.self)
    case .int128: integers(Int128.self)
    case .uint16: integers(UInt16.self)
    case .uint32: integers(UInt32.self)
    case .uint64: integers(UInt64.self)
    case .uint128: integers(UInt128.self)
    case .float: floats(Float.self)
    case .double: floats(Double.self)
    case .string, .interval, .list, .array, .structure: break
    }
    withExtendedLifetime(values) {}
    return result
  }

  /// The numbers of a column as Double, of DECIMAL, DATE and TIMESTAMP what they are made of.
  private func doubles(_ column: Column) -> UnsafeMutablePointer<Double> {
    let result = allocate(Double.self, count)
    func each<T: BitwiseCopyable>(_ type: T.Type, _ convert: (T) -> Double) {
      let reader = ColumnReader<T>(column)
      for row in 0..<count { result[row] = reader.isNull(row) ? 0 : convert(reader[row]) }
    }
    switch column.type.physical {
    case .bool, .uint8: each(UInt8.self) { Double($0) }
    case .int8: each(Int8.self) { Double($0) }
    case .int16: each(Int16.self) { Double($0) }
    case .int32: each(Int32.self) { Double($0) }
    case .int64: each(Int64.self) { Double($0) }
    case .int128: each(Int128.self) { Double(nearest: $0) }
    case .uint16: each(UInt16.self) { Double($0) }
    case .uint32: each(UInt32.self) { Double($0) }
    case .uint64: each(UInt64.self) { Double($0) }
    case .uint128: each(UInt128.self) { Double(nearest: $0) }
    case .float: each(Float.self) { Double($0) }
    case .double: each(Double.self) { $0 }
    case .string, .interval, .list, .array, .structure: result.update(repeating: 0, count: count)
    }
    withExtendedLifetime(column) {}
    return result
  }
}

private struct FillLine {
  let x: UnsafeMutablePointer<Double>
  let y: UnsafeMutablePointer<Double>

  /// The line through two rows at the key of a third; the first value where there is no such line.
  func value(at row: Int, _ a: Int, _ b: Int) -> Double {
    let width = x[b] - x[a]
    if width == 0 || !y[a].isFinite || !y[b].isFinite { return y[a] }
    return y[a] + (y[b] - y[a]) * ((x[row] - x[a]) / width)
  }
}
