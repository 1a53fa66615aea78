import Columnar

/// Short ways to write table rows.
extension ScalarOverload {
  /// Exact parameter types, NULL in NULL out.
  static func taking(
    _ types: [LogicalType], returns result: LogicalType, _ kernel: @escaping Kernel
  ) -> ScalarOverload {
    ScalarOverload(types.map { .exactly($0) }, returns: result, kernel: kernel)
  }
}

extension ScalarFunction {
  /// A function of one DOUBLE.
  static func ofDouble(
    _ name: String, aliases: [String] = [], _ summary: String,
    _ examples: [(sql: String, result: String)],
    _ operation: @escaping @Sendable (Column, Int) throws -> Column
  ) -> ScalarFunction {
    ScalarFunction(
      name, aliases: aliases, category: "math", summary: summary, examples: examples,
      overloads: [
        .taking([.double], returns: .double) { arguments, count, _ in
          try operation(arguments[0], count)
        }
      ])
  }
}
