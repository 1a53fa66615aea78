import Columnar
import Functions

extension TransformDefinition {
  static let cross = TransformDefinition(
    "cross", columns: 2, parameters: [TransformParameter("n")],
    summary: "an id from 0 to n - 1 for a pair of values, by a hash",
    example: "cross(city, weekday, 1000)"
  ) { arguments, _ in
    let buckets = UInt64(try arguments.integer("n", 1...100_000_000))
    return FittedTransform(
      overloads: [
        ScalarOverload([.any, .any], returns: .integer) { columns, count, _ in
          let left = try DistinctTexts(columns[0], count)
          let right = try DistinctTexts(columns[1], count)
          var known: [UInt64: Int32] = [:]
          let result = Column(flat: .integer, count: count)
          let target = result.values(as: Int32.self)
          for row in 0..<count {
            let pair = UInt64(left.groups[row]) << 32 | UInt64(right.groups[row])
            guard let first = left.texts[Int(left.groups[row])],
              let second = right.texts[Int(right.groups[row])]
            else {
              target[row] = 0
              result.setNull(row)
              continue
            }
            if let id = known[pair] {
              target[row] = id
            } else {
              let id = Int32(truncatingIfNeeded: stableHash([first, second]) % buckets)
              known[pair] = id
              target[row] = id
            }
          }
          return result
        }
      ], cardinality: Int(buckets))
  }
}
