import Columnar
import Diagnostics
import Functions
import Testing

/// The function tables are complete. (`TableExampleTests` runs their examples as SQL.)
struct ExampleTests {
  @Test func tablesAreSortedAndDocumented() {
    for function in ScalarFunctions.all {
      #expect(!function.summary.isEmpty, "\(function.name) has no summary")
      #expect(
        !function.overloads.isEmpty || function.signature != nil,
        "\(function.name) has no overload")
    }
    var seen: Set<String> = []
    for function in ScalarFunctions.all {
      for name in [function.name] + function.aliases {
        #expect(seen.insert(name).inserted, "\(name) is defined twice")
      }
    }
  }
}
