import Columnar
import Diagnostics

/// Aggregates that keep the look of a series with fewer points.
let downsamplingAggregates: [AggregateFunction] = [
  AggregateFunction(
    "lttb",
    summary:
      "n points (a constant) that keep the look of the line through the points (x, y), in the "
      + "order they come: the largest triangles of three buckets.",
    examples: [
      (
        "lttb(x::DOUBLE, x % 2, 2)",
        "[{'x': 1.0, 'y': 1.0}, {'x': 3.0, 'y': 1.0}]"
      )
    ],
    overloads: [
      signature(
        asPlace, asHeight, asPointCount,
        result: { .list(.structure([Field("x", $0[0]), Field("y", $0[1])])) }
      ) { types, result in
        CollectedState(keeping: Array(types.prefix(2)), required: [0, 1], result: result) {
          columns, count, constants in
          guard case .integer(let wanted)? = constants.first, wanted >= 2 else {
            throw SQLError(.binder, "lttb gives 2 points or more, a constant number")
          }
          let (x, y) = (columns[0].numbers(count), columns[1].numbers(count))
          let rows = largestTriangles(x, y, Int(clamping: wanted))
          return .list(rows.map { .structure([columns[0].value($0), columns[1].value($0)]) })
        }
      }
    ])
]

private let asPlace: ArgumentRule = { type in
  switch type {
  case .float, .double, .timestamp: type
  case .date: .timestamp
  default: asDouble(type)
  }
}

private let asHeight: ArgumentRule = { $0 == .float ? .float : asDouble($0) }
private let asPointCount: ArgumentRule = { $0.isInteger || $0 == .null ? .bigint : nil }

extension Column {
  fileprivate func numbers(_ count: Int) -> [Double] {
    switch type.physical {
    case .float: (0..<count).map { Double(values(as: Float.self)[valueIndex($0)]) }
    case .int64: (0..<count).map { Double(values(as: Int64.self)[valueIndex($0)]) }
    default: (0..<count).map { values(as: Double.self)[valueIndex($0)] }
    }
  }
}

/// Steinarsson, Downsampling Time Series for Visual Representation (2013): of each bucket the point that
/// makes the largest triangle with the point picked before and the mean of the next bucket.
private func largestTriangles(_ x: [Double], _ y: [Double], _ wanted: Int) -> [Int] {
  let count = x.count
  if wanted >= count || count <= 2 { return Array(0..<count) }
  if wanted == 2 { return [0, count - 1] }
  let width = Double(count - 2) / Double(wanted - 2)
  func start(_ bucket: Int) -> Int { min(count, Int(Double(bucket) * width) + 1) }
  var picked = [0]
  var last = 0
  for bucket in 0..<(wanted - 2) {
    let next = start(bucket + 1)..<max(start(bucket + 1) + 1, start(bucket + 2))
    var (meanX, meanY, used) = (0.0, 0.0, 0.0)
    for row in next where row < count {
      meanX += x[row]
      meanY += y[row]
      used += 1
    }
    (meanX, meanY) = (meanX / max(used, 1), meanY / max(used, 1))
    var (best, bestArea) = (start(bucket), -1.0)
    for row in start(bucket)..<start(bucket + 1) {
      let area = abs(
        (x[last] - meanX) * (y[row] - y[last]) - (x[last] - x[row]) * (meanY - y[last]))
      if area > bestArea { (best, bestArea) = (row, area) }
    }
    picked.append(best)
    last = best
  }
  return picked + [count - 1]
}
