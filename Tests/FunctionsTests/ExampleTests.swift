import Columnar
import Diagnostics
import Functions
import Testing

/// Every example of the function tables gives what it says.
struct ExampleTests {
  static let examples: [(name: String, sql: String, result: String)] = ScalarFunctions.all.flatMap {
    function in function.examples.map { (function.name, $0.sql, $0.result) }
  }

  @Test func everyExample() throws {
    for example in Self.examples {
      do {
        let text = try ExpressionEvaluator.text(example.sql)
        #expect(text == example.result, "\(example.name): \(example.sql)")
      } catch {
        Issue.record("\(example.name): \(example.sql): \(error)")
      }
    }
  }

  @Test func tablesAreSortedAndDocumented() {
    for function in ScalarFunctions.all {
      #expect(!function.summary.isEmpty, "\(function.name) has no summary")
      #expect(!function.overloads.isEmpty, "\(function.name) has no overload")
    }
    var seen: Set<String> = []
    for function in ScalarFunctions.all {
      for name in [function.name] + function.aliases {
        #expect(seen.insert(name).inserted, "\(name) is defined twice")
      }
    }
  }
}
