import Execution
import Functions
import Planner
import Testing

@testable import Apus

/// The examples that stand in the tables are run as they stand.
@Suite struct TableExampleTests {
  @Test func aggregates() throws {
    let connection = try Database().connect()
    var count = 0
    for function in Aggregates.all {
      #expect(!function.examples.isEmpty, "\(function.name) has no example")
      for example in function.examples {
        let sql = "SELECT (\(example.sql))::VARCHAR FROM (VALUES (1), (2), (3), (NULL)) t(x)"
        do {
          let rows = try connection.execute(sql).rows()
          #expect(rows.first?.first.map { $0 ?? "NULL" } == example.result, "\(example.sql)")
        } catch {
          Issue.record("\(example.sql): \(error)")
        }
        count += 1
      }
    }
    #expect(count > 30)
  }

  @Test func scalarFunctions() throws {
    let connection = try Database().connect()
    for function in ScalarFunctions.all {
      for example in function.examples {
        do {
          let rows = try connection.execute("SELECT CAST((\(example.sql)) AS VARCHAR)").rows()
          #expect(rows.first?.first.map { $0 ?? "NULL" } == example.result, "\(example.sql)")
        } catch {
          Issue.record("\(example.sql): \(error)")
        }
      }
    }
  }

  @Test func defaultMacros() throws {
    let connection = try Database().connect()
    for entry in FunctionEntry.all where entry.kind == .macro {
      for example in entry.examples {
        let rows = try connection.execute("SELECT CAST((\(example.sql)) AS VARCHAR)").rows()
        #expect(rows.first?.first.map { $0 ?? "NULL" } == example.result, "\(example.sql)")
      }
    }
  }

  @Test func windowFunctionsAndNamedForms() throws {
    for entry in FunctionEntry.all where [.window, .table].contains(entry.kind) || entry.isForm {
      for example in entry.examples {
        guard let result = example.result else { continue }
        #expect(FunctionReference.shown(example.sql) == result, "\(example.sql)")
      }
    }
  }

  @Test func tableFunctions() throws {
    let connection = try Database().connect()
    for function in TableFunctions.rows where !function.example.contains("data.") {
      #expect(try !connection.execute(function.example).rows().isEmpty, "\(function.example)")
    }
    let types = FunctionEntry.all.first { $0.name == "test_all_types" }
    #expect(try connection.execute(types?.examples.first?.sql ?? "").rows().count == 3)
  }
}
