import CVectorMath
import Columnar
import Diagnostics

/// Lists and arrays of numbers as vectors, by the kernels of CVectorMath. FLOAT stays FLOAT;
/// everything else is computed as DOUBLE. Both sides must have one length and no NULL in them.
enum VectorFunctions {
  static let rows: [ScalarFunction] = [
    vectors(
      "cosine_distance", symbols: ["<=>"], "One minus the cosine similarity.",
      "([1, 0], [0, 1])", "1.0", cosineDistance),
    vectors(
      "cosine_similarity", symbols: [], "The cosine of the angle between the vectors.",
      "([1, 2], [1, 2])", "1.0", similarity),
    vectors(
      "distance", symbols: ["<->"], "The Euclidean distance of the vectors.", "([0, 0], [3, 4])",
      "5.0", distance),
    vectors(
      "inner_product", symbols: [], alias: "dot_product",
      "The sum of the products of the elements.", "([1, 2], [3, 4])", "11.0", product),
    vectors(
      "negative_inner_product", symbols: ["<#>"], alias: "negative_dot_product",
      "The inner product, negated.", "([1, 2], [3, 4])", "-11.0", negativeProduct),
    ScalarFunction(
      "array_cross_product", category: "list", summary: "The cross product of two arrays of 3.",
      examples: [
        ("array_cross_product([1, 0, 0]::DOUBLE[3], [0, 1, 0]::DOUBLE[3])", "[0.0, 0.0, 1.0]")
      ],
      overloads: [
        ScalarOverload(
          [.any, .any], resultFrom: { .array($0[0].elementType ?? .double, count: 3) },
          coerce: { types in
            for type in types {
              if type == .null { continue }
              guard case .array(_, count: 3) = type else {
                throw SQLError(.binder, "array_cross_product takes arrays of 3, not \(type)")
              }
            }
            let item = itemType(types)
            return [.array(item, count: 3), .array(item, count: 3)]
          }, kernel: { a, n, t in try crossed(a, n, t) })
      ],
      forms: [FunctionForm("DOUBLE[3]", "DOUBLE[3]", gives: "DOUBLE[3]")]),
  ]

  /// Of two vectors of one length; nil makes the row NULL.
  private struct Measure: Sendable {
    let floats: @Sendable (UnsafePointer<Float>, UnsafePointer<Float>, Int) -> Float?
    let doubles: @Sendable (UnsafePointer<Double>, UnsafePointer<Double>, Int) -> Double?
  }

  private static let distance = Measure(
    floats: { apus_square_distance($0, $1, $2).squareRoot() },
    doubles: { apus_square_distance_double($0, $1, $2).squareRoot() })
  private static let product = Measure(
    floats: { apus_dot($0, $1, $2) }, doubles: { apus_dot_double($0, $1, $2) })
  private static let negativeProduct = Measure(
    floats: { -apus_dot($0, $1, $2) }, doubles: { -apus_dot_double($0, $1, $2) })
  private static let similarity = Measure(
    floats: { cosine($0, $1, $2, apus_products) },
    doubles: { cosine($0, $1, $2, apus_products_double) })
  private static let cosineDistance = Measure(
    floats: { cosine($0, $1, $2, apus_products).map { 1 - $0 } },
    doubles: { cosine($0, $1, $2, apus_products_double).map { 1 - $0 } })

  @inline(__always)
  private static func cosine<T: BinaryFloatingPoint>(
    _ x: UnsafePointer<T>, _ y: UnsafePointer<T>, _ count: Int,
    _ products: (UnsafePointer<T>, UnsafePointer<T>, Int, UnsafeMutablePointer<T>) -> Void
  ) -> T? {
    if count == 0 { return nil }
    return withUnsafeTemporaryAllocation(of: T.self, capacity: 3) { sums in
      guard let start = sums.baseAddress else { return nil }
      products(x, y, count, start)
      let similarity = sums[0] / (sums[1] * sums[2]).squareRoot()
      return similarity.isNaN ? similarity : max(-1, min(1, similarity))
    }
  }

  private static func itemType(_ types: [LogicalType]) -> LogicalType {
    let known = types.compactMap(\.elementType)
    return !known.isEmpty && known.allSatisfy { $0 == .float } ? .float : .double
  }

  private static func vectors(
    _ name: String, symbols: [String], alias: String? = nil, _ summary: String, _ example: String,
    _ result: String, _ measure: Measure
  ) -> ScalarFunction {
    var aliases = ["array_\(name)"] + symbols
    if let alias { aliases += ["list_\(alias)", "array_\(alias)"] }
    return ScalarFunction(
      "list_\(name)", aliases: aliases, category: "list", summary: summary,
      examples: [("list_\(name)\(example)", result)],
      overloads: [
        ScalarOverload(
          [.any, .any], resultFrom: { $0[0].elementType ?? .double },
          coerce: { types in
            if case .array(_, let m) = types[0], case .array(_, let n) = types[1], m != n {
              throw SQLError(
                .binder, "list_\(name) takes arrays of one size, not of \(m) and \(n)")
            }
            for type in types {
              guard type == .null || (type.elementType.map { $0.isNumeric || $0 == .null } ?? false)
              else { throw SQLError(.binder, "list_\(name) takes lists of numbers, not \(type)") }
            }
            let item = itemType(types)
            return [.list(item), .list(item)]
          }, kernel: { a, n, t in try measured("list_\(name)", a, n, t, measure) })
      ])
  }

  private static func measured(
    _ name: String, _ a: [Column], _ count: Int, _ type: LogicalType, _ measure: Measure
  ) throws -> Column {
    if type == .float { return try measured(name, a, count, type, measure.floats) }
    return try measured(name, a, count, type, measure.doubles)
  }

  @inline(__always)
  private static func measured<T: BinaryFloatingPoint & BitwiseCopyable>(
    _ name: String, _ a: [Column], _ count: Int, _ type: LogicalType,
    _ measure: (UnsafePointer<T>, UnsafePointer<T>, Int) -> T?
  ) throws -> Column {
    let x = ColumnReader<ListEntry>(a[0])
    let y = ColumnReader<ListEntry>(a[1])
    let children = a.map { $0.children[0].flattened() }
    let left = UnsafePointer(children[0].values(as: T.self))
    let right = UnsafePointer(children[1].values(as: T.self))
    let leftValid = children[0].validity.map { UnsafePointer($0) }
    let rightValid = children[1].validity.map { UnsafePointer($0) }
    return try Kernels.nullableRows(a, count, type, T.self) { row in
      let (one, other) = (x[row], y[row])
      guard one.length == other.length else {
        throw SQLError(
          .invalidInput,
          "\(name) takes lists of one length, not of \(one.length) and \(other.length)")
      }
      if hasNull(leftValid, one) || hasNull(rightValid, other) {
        throw SQLError(.invalidInput, "\(name) takes lists without NULL elements")
      }
      return measure(left + one.offset, right + other.offset, one.length)
    }
  }

  /// By words of validity: columns often have such words without a NULL in them.
  @inline(__always)
  private static func hasNull(_ validity: UnsafePointer<UInt64>?, _ entry: ListEntry) -> Bool {
    guard let validity else { return false }
    let end = entry.offset + entry.length
    var place = entry.offset
    while place < end {
      let bit = place & 63
      let taken = min(64 - bit, end - place)
      let mask = (UInt64.max >> UInt64(64 - taken)) << UInt64(bit)
      if validity[place >> 6] & mask != mask { return true }
      place += taken
    }
    return false
  }

  private static func doubles(_ column: Column) -> [Double] {
    if column.type == .float {
      let reader = ColumnReader<Float>(column)
      return (0..<column.count).map { Double(reader[$0]) }
    }
    let reader = ColumnReader<Double>(column)
    return (0..<column.count).map { reader[$0] }
  }

  private static func crossed(_ a: [Column], _ count: Int, _ type: LogicalType) throws -> Column {
    let item = type.elementType ?? .double
    let (left, right) = (a[0].flattened(), a[1].flattened())
    for (column, child) in [(left, left.children[0]), (right, right.children[0])]
    where child.mayHaveNulls {
      for row in 0..<count where !column.isNull(row) {
        for place in (3 * row)..<(3 * row + 3) where child.isNull(place) {
          throw SQLError(.invalidInput, "array_cross_product takes arrays without NULL elements")
        }
      }
    }
    let (x, y) = (doubles(left.children[0]), doubles(right.children[0]))
    var items = ColumnBuilder(item, capacity: 3 * count)
    for row in 0..<count {
      for place in 0..<3 {
        let (i, j) = (3 * row + (place + 1) % 3, 3 * row + (place + 2) % 3)
        let value = x[i] * y[j] - x[j] * y[i]
        if item == .float { items.append(fixed: Float(value)) } else { items.append(fixed: value) }
      }
    }
    let result = Column(flat: type, count: count, children: [items.finish()])
    result.addNulls(of: left)
    result.addNulls(of: right)
    return result
  }
}
