import Columnar
import Diagnostics

/// `& | << >> ~ xor` on integers.
enum BitwiseOperators {
  static let rows: [ScalarFunction] = [
    binary("&", "Bitwise AND.", ("12 & 10", "8")) { operation, column in
      try operation.run(column, .and)
    },
    binary("<<", "Bits moved left; an error when set bits fall out.", ("1 << 4", "16")) {
      operation, column in try operation.run(column, .left)
    },
    binary(">>", "Bits moved right.", ("16 >> 2", "4")) { operation, column in
      try operation.run(column, .right)
    },
    binary("xor", "Bitwise exclusive OR.", ("xor(12, 10)", "6")) { operation, column in
      try operation.run(column, .exclusiveOr)
    },
    binary("|", "Bitwise OR.", ("12 | 10", "14")) { operation, column in
      try operation.run(column, .or)
    },
    ScalarFunction(
      "~", aliases: ["bitwise_not"], category: "operator", summary: "All bits inverted.",
      examples: [("~5", "-6")],
      overloads: [
        ScalarOverload([.anyInteger], resultFrom: { $0[0] }) { arguments, count, type in
          try Operation(left: arguments[0], right: arguments[0], count: count, type: type)
            .run(arguments[0], .not)
        }
      ]),
  ]

  enum Kind: Sendable { case and, or, exclusiveOr, left, right, not }

  private static func binary(
    _ name: String, _ summary: String, _ example: (sql: String, result: String),
    _ kernel: @escaping @Sendable (Operation, Column) throws -> Column
  ) -> ScalarFunction {
    ScalarFunction(
      name, category: "operator", summary: summary, examples: [example],
      overloads: [
        ScalarOverload(
          [.any, .any], resultFrom: { $0[0] }, coerce: coerce,
          kernel: { arguments, count, type in
            try kernel(
              Operation(left: arguments[0], right: arguments[1], count: count, type: type),
              arguments[0])
          })
      ])
  }

  private static func coerce(_ types: [LogicalType]) throws -> [LogicalType] {
    let common = try Arithmetic.coerceCommon(types)
    guard common[0].isInteger else {
      throw SQLError(
        .binder, "bit operators need integers, not \(types[0]) and \(types[1])")
    }
    return common
  }

  struct Operation {
    let left: Column
    let right: Column
    let count: Int
    let type: LogicalType

    func run(_ column: Column, _ kind: Kind) throws -> Column {
      guard let result = try withIntegerType(type.physical, Visitor(operation: self, kind: kind))
      else { throw Arithmetic.notNumeric([type]) }
      return result
    }
  }

  private struct Visitor: IntegerTypeVisitor {
    let operation: Operation
    let kind: Kind

    func visit<T: FixedWidthInteger & BitwiseCopyable>(_ t: T.Type) throws -> Column {
      let (left, right, count, type) =
        (operation.left, operation.right, operation.count, operation.type)
      switch kind {
      case .and: return Kernels.binary(left, right, count, type, t, t, t) { $0 & $1 }
      case .or: return Kernels.binary(left, right, count, type, t, t, t) { $0 | $1 }
      case .exclusiveOr: return Kernels.binary(left, right, count, type, t, t, t) { $0 ^ $1 }
      case .not: return Kernels.unary(left, count, type, t, t) { ~$0 }
      case .right:
        // Swift's smart shift: no trap; negative amounts give 0 as oversized ones do.
        return Kernels.binary(left, right, count, type, t, t, t) { a, b in
          b < 0 || b >= T(truncatingIfNeeded: T.bitWidth) && T.bitWidth < 128 ? 0 : a >> b
        }
      case .left:
        return try Kernels.checkedBinary(
          left, right, count, type, t,
          { a, b, failed in
            if b < 0 || a < 0 {
              failed = ~0
              return 0
            }
            let moved = a << b
            if moved < 0 || moved >> b != a { failed = ~0 }
            return moved
          }, failure: { a, b in Arithmetic.overflow("left shift", type, "\(a) << \(b)") })
      }
    }
  }
}
