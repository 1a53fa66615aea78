import Columnar
import Diagnostics

/// format and printf.
enum FormatFunctions {
  static let rows: [ScalarFunction] = [
    ScalarFunction(
      "format", category: "string",
      summary: "The first argument with {} or {0}, {:.2f}… replaced by the others.",
      examples: [("format('{}: {:.2f}', 'x', 2.5)", "x: 2.50"), ("format('{1}{0}', 1, 2)", "21")],
      overloads: variadic { format, arguments, row, buffer in
        try TextFormat.appendBraces(format, arguments, row, to: &buffer)
      }),
    ScalarFunction(
      "printf", category: "string", summary: "The first argument with %d, %s, %.2f… replaced.",
      examples: [("printf('%s has %03d: %.1f', 'a', 7, 2.25)", "a has 007: 2.2")],
      overloads: variadic { format, arguments, row, buffer in
        try TextFormat.appendPercents(format, arguments, row, to: &buffer)
      }),
  ]

  private static func variadic(
    _ body:
      @escaping @Sendable (
        UnsafeBufferPointer<UInt8>, [Column], Int, inout ResultText
      ) throws -> Void
  ) -> [ScalarOverload] {
    [
      ScalarOverload([.exactly(.varchar)], variadic: .any, returns: .varchar) { a, n, _ in
        let formats = ColumnReader<StringView>(a[0])
        let arguments = Array(a.dropFirst())
        return try Kernels.texts(a, n) { row, buffer in
          try body(formats.pointer(row).buffer, arguments, row, &buffer)
        }
      }
    ]
  }
}
