import Columnar
import Diagnostics
import Functions
import Testing

/// Kernels that may work long on one batch notice that their statement was cancelled.
struct CancellationTests {
  private static func cancelled<Result>(_ body: () throws -> Result) throws -> Result {
    let cancellation = Cancellation()
    cancellation.request()
    return try SessionTime.with(
      SessionTime(zone: .utc, now: nil, cancellation: cancellation), body)
  }

  @Test(arguments: [
    "'[1, 2]'::INTEGER[]", "array_to_string([1, 2], '-')", "damerau_levenshtein('a', 'b')",
    "jaro_similarity('a', 'b')", "levenshtein('a', 'b')", "list_distinct([1, 2])",
    "list_grade_up([2, 1])", "list_has_any([1], [2])", "list_intersect([1], [2])",
    "list_median([1, 2])", "list_sum([1, 2])", "list_unique([1, 1])", "range(3)",
    "regexp_extract_all('ab', '.')", "regexp_matches('a', '[ab]')",
    "regexp_replace('a', 'a', 'b')", "string_split_regex('a,b', ',')",
  ])
  func aCancelledKernelEnds(_ expression: String) throws {
    _ = try ExpressionEvaluator.text(expression)
    let error = #expect(throws: SQLError.self) {
      try CancellationTests.cancelled { try ExpressionEvaluator.text(expression) }
    }
    #expect(error?.code == .interrupted)
  }

  @Test func aLongSortEnds() throws {
    let list = try ExpressionEvaluator.evaluate("range(1500000)")
    let resolved = try ScalarFunctions.resolve(name: "list_sort", arguments: [list.type])
    let error = #expect(throws: SQLError.self) {
      try CancellationTests.cancelled {
        try ScalarEvaluation.call(resolved, [list], count: 1)
      }
    }
    #expect(error?.code == .interrupted)
  }

  @Test(arguments: ["range(100000)", "[[1], [2]]", "map([1, 2], ['a', 'b'])", "range(3)"])
  func theTextOfALongValueEnds(_ expression: String) throws {
    let value = try ExpressionEvaluator.evaluate(expression)
    _ = try ValueText.boundedText(of: value)
    let error = #expect(throws: SQLError.self) {
      try CancellationTests.cancelled { try ValueText.boundedText(of: value) }
    }
    #expect(error?.code == .interrupted)
  }

  @Test func theTextOfAListKeepsToTheLimitOfMemory() throws {
    let list = try ExpressionEvaluator.evaluate("range(200000)")
    let error = #expect(throws: SQLError.self) {
      try SessionTime.with(
        SessionTime(zone: .utc, now: nil, memory: MemoryAllowance(limit: 1 << 20))
      ) { try ValueText.boundedText(of: list) }
    }
    #expect(error?.code == .outOfMemory)
    let text = try SessionTime.with(
      SessionTime(zone: .utc, now: nil, memory: MemoryAllowance(limit: 1 << 24))
    ) { try ValueText.boundedText(of: list) }
    #expect(text.values(as: StringView.self)[0].count == 1_488_890)
  }
}
