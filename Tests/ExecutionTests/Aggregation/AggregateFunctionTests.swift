import Columnar
import Diagnostics
import Execution
import Functions
import Glibc
import Testing

/// The functions: against a plain oracle where one is short, and everywhere one state against
/// several merged ones.
@Suite struct AggregateFunctionTests {
  private static let types: [LogicalType] = [
    .integer, .bigint, .double, .varchar, .boolean, .decimal(precision: 9, scale: 2),
  ]

  private func table(rows: Int, nulls: NullPattern) -> TestTable {
    var random = Seeded(state: 99)
    return TestTable(
      types: AggregateFunctionTests.types,
      rows: (0..<rows).map { row in
        AggregateFunctionTests.types.enumerated().map { position, type in
          if position > 0 && (nulls == .all || (nulls == .some && random.next() % 5 == 0)) {
            return .null
          }
          let number = Int(random.next() % 40)
          switch type {
          case .integer: return .integer(Int128(number % 7))
          case .bigint: return .integer(Int128(number - 20) * 400_000_000_000_000_000)
          case .double: return .double(Double(number) / 4)
          default: return testValue(type, number)
          }
        }
      })
  }

  private func byGroup(_ rows: [[Value]], _ column: Int) -> [Value: [Value]] {
    var result: [Value: [Value]] = [:]
    for row in rows { result[row[0], default: []].append(row[column]) }
    return result
  }

  private func expectEqual(
    _ name: String, _ column: Int, _ table: TestTable, second: Int? = nil,
    _ oracle: ([Value]) -> Value
  ) throws {
    let call = try call(name, [column] + (second.map { [$0] } ?? []), table.types)
    for encoding in TestEncoding.allCases {
      for size in [1, 64, 2048] {
        let (batches, rows) = try table.batches(size: size, encoding: encoding)
        let wanted = byGroup(rows, column).mapValues(oracle)
        let found = try aggregate(batches, types: table.types, keys: [0], calls: [call])
        #expect(found.count == wanted.count)
        for row in found {
          let same = row[1] == wanted[row[0]]
          #expect(
            same, "\(name) \(encoding) \(size): \(row[1]) \(String(describing: wanted[row[0]]))")
          if !same { return }
        }
        let all = try aggregate(batches, types: table.types, keys: [], calls: [call])
        #expect(all == [[oracle(rows.map { $0[column] })]], "\(name) ungrouped \(encoding) \(size)")
      }
    }
  }

  private func numbers(_ values: [Value]) -> [Int128] {
    values.compactMap { value in
      switch value {
      case .integer(let number), .decimal(let number): number
      default: nil
      }
    }
  }

  private func doubles(_ values: [Value]) -> [Double] {
    values.compactMap { if case .double(let number) = $0 { number } else { nil } }
  }

  private func texts(_ values: [Value]) -> [String] {
    values.compactMap { if case .varchar(let text) = $0 { text } else { nil } }
  }

  @Test(arguments: NullPattern.allCases) func oracle(_ nulls: NullPattern) throws {
    let table = table(rows: 500, nulls: nulls)
    for column in [0, 1] {
      try expectEqual("sum", column, table) { values in
        let all = numbers(values)
        return all.isEmpty ? .null : .integer(all.reduce(0, +))
      }
      try expectEqual("min", column, table) { numbers($0).min().map { .integer($0) } ?? .null }
      try expectEqual("max", column, table) { numbers($0).max().map { .integer($0) } ?? .null }
      try expectEqual("avg", column, table) { values in
        let all = numbers(values)
        return all.isEmpty ? .null : .double(Double(all.reduce(0, +)) / Double(all.count))
      }
      try expectEqual("bit_xor", column, table) { values in
        let all = numbers(values)
        return all.isEmpty ? .null : .integer(all.reduce(0, ^))
      }
    }
    try expectEqual("sum", 5, table) { values in
      let all = numbers(values)
      return all.isEmpty ? .null : .decimal(all.reduce(0, +))
    }
    try expectEqual("avg", 5, table) { values in
      let all = numbers(values)
      return all.isEmpty ? .null : .double(Double(all.reduce(0, +)) / (Double(all.count) * 100))
    }
    try expectEqual("sum", 2, table) { values in
      let all = doubles(values)
      return all.isEmpty ? .null : .double(all.reduce(0, +))
    }
    try expectEqual("median", 2, table) { values in
      let all = doubles(values).sorted()
      if all.isEmpty { return .null }
      return .double((all[(all.count - 1) / 2] + all[all.count / 2]) / 2)
    }
    try expectEqual("count", 3, table) { .integer(Int128(texts($0).count)) }
    try expectEqual("min", 3, table) { values in
      let least = texts(values).min { Array($0.utf8).lexicographicallyPrecedes(Array($1.utf8)) }
      return least.map { .varchar($0) } ?? .null
    }
    try expectEqual("max", 3, table) { values in
      let greatest = texts(values).max { Array($0.utf8).lexicographicallyPrecedes(Array($1.utf8)) }
      return greatest.map { .varchar($0) } ?? .null
    }
    try expectEqual("list", 3, table) { .list($0) }
    try expectEqual("first", 3, table) { $0.first ?? .null }
    try expectEqual("last", 3, table) { $0.last ?? .null }
    try expectEqual("any_value", 3, table) { $0.first { $0 != .null } ?? .null }
    try expectEqual("string_agg", 3, table) { values in
      let all = texts(values)
      return all.isEmpty ? .null : .varchar(all.joined(separator: ","))
    }
    try expectEqual("bool_and", 4, table) { values in
      let all = values.filter { $0 != .null }
      return all.isEmpty ? .null : .boolean(all.allSatisfy { $0 == .boolean(true) })
    }
    try expectEqual("count_if", 4, table) { values in
      .integer(Int128(values.filter { $0 == .boolean(true) }.count))
    }
    try expectEqual("mode", 3, table) { values in
      let all = texts(values)
      var counts: [String: Int] = [:]
      for text in all { counts[text, default: 0] += 1 }
      let most = counts.values.max()
      return all.first { counts[$0] == most }.map { .varchar($0) } ?? .null
    }
  }

  /// Order-independent results must not depend on workers or on the way of merging.
  @Test func mergingEqualsOneState() throws {
    let names = [
      "sum", "avg", "min", "max", "count", "stddev", "stddev_pop", "variance", "var_pop", "median",
      "product", "approx_count_distinct", "bit_and", "bit_or", "bit_xor", "count_if", "bool_and",
      "bool_or", "arg_min", "corr", "covar_pop", "covar_samp", "regr_slope", "regr_intercept",
      "regr_count", "regr_r2",
    ]
    for nulls in NullPattern.allCases {
      let table = table(rows: 600, nulls: nulls)
      var calls: [AggregateCall] = []
      for name in names {
        for column in 0..<6 {
          let two =
            ["arg_min", "corr", "covar_pop", "covar_samp"].contains(name)
            || name.hasPrefix("regr")
          if name == "product" && column < 2 { continue }
          if let one = try? call(name, two ? [column, column] : [column], table.types) {
            // Columns are as they are here; the planner's casts have no place in this test.
            if one.resolved.argumentTypes[0] == table.types[column] { calls.append(one) }
          }
        }
      }
      #expect(calls.count > 40)
      let batches = try table.batches(size: 16, encoding: .flat).batches
      for keys in [[0], []] {
        let one = try aggregate(batches, types: table.types, keys: keys, calls: calls)
        for (workers, from) in [(2, 10_000), (2, 0), (3, 0)] {
          let merged = try aggregate(
            batches, types: table.types, keys: keys, calls: calls, workers: workers,
            partitionedFrom: from)
          #expect(merged.count == one.count)
          for row in merged {
            let other = keys.isEmpty ? one[0] : one.first { $0[0] == row[0] } ?? []
            for (position, value) in row.enumerated() {
              let same = isClose(value, other[position])
              let name =
                position < keys.count ? "key" : calls[position - keys.count].resolved.function.name
              #expect(same, "\(name): \(value) \(other[position])")
            }
          }
        }
      }
    }
  }

  private func isClose(_ a: Value, _ b: Value) -> Bool {
    if case .double(let x) = a, case .double(let y) = b {
      return x == y || (x.isNaN && y.isNaN) || abs(x - y) <= 1e-9 * max(abs(x), abs(y))
    }
    return a == b
  }

  /// Values whose order workers do not keep: lists as multisets, firsts as members.
  @Test func mergingKeptValues() throws {
    let table = table(rows: 600, nulls: .some)
    let batches = try table.batches(size: 16, encoding: .flat).batches
    let calls = [
      try call("list", [3], table.types), try call("first", [3], table.types),
      try call("last", [3], table.types), try call("any_value", [3], table.types),
      try call("mode", [1], table.types), try call("string_agg", [3], table.types),
    ]
    let groups = byGroup(table.rows, 3)
    for from in [0, 10_000] {
      let found = try aggregate(
        batches, types: table.types, keys: [0], calls: calls, workers: 2, partitionedFrom: from)
      #expect(found.count == groups.count)
      for row in found {
        let members = groups[row[0]] ?? []
        guard case .list(let list) = row[1] else { continue }
        #expect(list.map { "\($0)" }.sorted() == members.map { "\($0)" }.sorted())
        #expect(members.contains(row[2]) && members.contains(row[3]) && members.contains(row[4]))
      }
    }
  }

  @Test(arguments: testTypes) func everyType(_ type: LogicalType) throws {
    var random = Seeded(state: 5)
    let rows: [[Value]] = (0..<200).map { _ in
      [
        .integer(Int128(random.next() % 5)),
        random.next() % 6 == 0 ? .null : testValue(type, Int(random.next() % 30)),
      ]
    }
    let table = TestTable(types: [.integer, type], rows: rows)
    let names = ["min", "max", "first", "last", "any_value", "list", "mode", "count"]
    var calls = try names.map { try call($0, [1], table.types) }
    calls.append(try call("arg_max", [1, 1], table.types))
    calls.append(try call("arg_min", [0, 1], table.types))
    for encoding in TestEncoding.allCases {
      let (batches, rows) = try table.batches(size: 33, encoding: encoding)
      for from in [0, 10_000] {
        for workers in [1, 2] {
          let found = try aggregate(
            batches, types: table.types, keys: [0], calls: calls, workers: workers,
            partitionedFrom: from)
          let groups = byGroup(rows, 1)
          #expect(found.count == groups.count)
          for row in found {
            let all = (groups[row[0]] ?? []).map { "\($0)" }
            let valid = all.filter { $0 != "\(Value.null)" }
            for position in [1, 2, 5, 7, 9] where !valid.isEmpty {
              #expect(valid.contains("\(row[position])"), "\(type) \(position) \(row[position])")
            }
            #expect(all.contains("\(row[3])") && all.contains("\(row[4])"))
            #expect("\(row[2])" == "\(row[9])")
            #expect(row[8] == .integer(Int128(valid.count)))
            guard case .list(let list) = row[6] else { continue }
            #expect(list.map { "\($0)" }.sorted() == all.sorted())
          }
        }
      }
    }
  }

  @Test func distinctFilterAndOrder() throws {
    let types: [LogicalType] = [.integer, .integer, .boolean, .varchar]
    var random = Seeded(state: 11)
    let rows: [[Value]] = (0..<500).map { _ in
      let number = Int(random.next() % 20)
      return [
        .integer(Int128(random.next() % 9)), number == 3 ? .null : .integer(Int128(number)),
        number % 4 == 0 ? .null : .boolean(number % 3 == 0), testValue(.varchar, number),
      ]
    }
    let table = TestTable(types: types, rows: rows)
    let down = [SortKey(column: 1, descending: true, nullsFirst: false)]
    let calls = [
      try call("count", [1], types, distinct: true),
      try call("sum", [1], types, distinct: true, filter: 2),
      try call("sum", [1], types, filter: 2),
      try call("list", [1], types, distinct: true, order: down),
      try call("list", [1], types, order: down),
      try call("string_agg", [3], types, filter: 2, order: [SortKey(column: 3)]),
    ]
    for (workers, from) in [(1, 0), (2, 0), (2, 10_000)] {
      for keys in [[0], []] {
        for encoding in [TestEncoding.flat, .dictionary] {
          let batches = try table.batches(size: 17, encoding: encoding).batches
          let found = try aggregate(
            batches, types: types, keys: keys, calls: calls, workers: workers,
            partitionedFrom: from)
          for row in found {
            let members = keys.isEmpty ? rows : rows.filter { $0[0] == row[0] }
            let passed = members.filter { $0[2] == .boolean(true) }
            let result = Array(row[keys.count...])
            let distinct = Set(numbers(members.map { $0[1] }))
            #expect(result[0] == .integer(Int128(distinct.count)))
            let some = numbers(passed.map { $0[1] })
            #expect(result[1] == (some.isEmpty ? .null : .integer(Set(some).reduce(0, +))))
            #expect(result[2] == (some.isEmpty ? .null : .integer(some.reduce(0, +))))
            let nulls = members.filter { $0[1] == .null }.map { _ in Value.null }
            let sorted = numbers(members.map { $0[1] }).sorted(by: >).map { Value.integer($0) }
            #expect(
              result[3]
                == .list(distinct.sorted(by: >).map { .integer($0) } + nulls.prefix(1)))
            #expect(result[4] == .list(sorted + nulls))
            let joined = texts(passed.map { $0[3] })
              .sorted { Array($0.utf8).lexicographicallyPrecedes(Array($1.utf8)) }
            #expect(
              result[5] == (passed.isEmpty ? .null : .varchar(joined.joined(separator: ","))))
          }
        }
      }
    }
  }

  private func single(
    _ name: String, _ types: [LogicalType], _ rows: [[Value]]
  ) throws -> Value {
    let resolved = try Aggregates.resolve(name: name, arguments: types)
    let table = TestTable(types: resolved.argumentTypes, rows: rows)
    let call = AggregateCall(resolved: resolved, arguments: Array(types.indices))
    return try aggregate(
      table.batches(size: 64, encoding: .flat).batches, types: resolved.argumentTypes, keys: [],
      calls: [call])[0][0]
  }

  @Test func figuresOfDuckDB() throws {
    let four: [[Value]] = [1, 2, 4, 9].map { [.double($0)] }
    func with(_ fraction: Value) -> [[Value]] { four.map { $0 + [fraction] } }
    #expect(try single("median", [.integer], four) == .double(3))
    #expect(
      try single(
        "quantile_cont", [.integer, .list(.double)], with(.list([.double(0.25), .double(0.5)])))
        == .list([.double(1.75), .double(3)]))
    #expect(try single("quantile_disc", [.double, .double], with(.double(0.5))) == .double(2))
    let tenths = LogicalType.decimal(precision: 4, scale: 1)
    #expect(try single("median", [tenths], [[.decimal(15)], [.decimal(16)]]) == .decimal(15))
    #expect(
      try single(
        "quantile_cont", [tenths, .double],
        [[.decimal(15), .double(0.3)], [.decimal(20), .double(0.3)]])
        == .decimal(16))
    #expect(try single("median", [.varchar], [[.varchar("a")], [.varchar("b")]]) == .varchar("a"))
    #expect(try single("var_samp", [.integer], [[.double(1)]]) == .null)
    #expect(try single("var_pop", [.integer], [[.double(1)]]) == .double(0))
    let line: [[Value]] = [[.double(1), .double(1)], [.double(3), .double(2)]]
    #expect(try single("regr_slope", [.double, .double], line) == .double(2))
    #expect(try single("regr_intercept", [.double, .double], line) == .double(-1))
    #expect(try single("product", [.integer], [[.null]]) == .null)
    #expect(
      try single("max", [.list(.integer)], [[.list([.integer(1)])], [.list([.null])], [.null]])
        == .list([.null]))
    #expect(throws: SQLError.self) {
      try single("sum", [.hugeint], [[.integer(.max)], [.integer(1)]])
    }
    #expect(throws: SQLError.self) {
      try single("quantile_cont", [.double, .double], with(.double(2)))
    }
  }

  @Test func resolution() throws {
    func result(_ name: String, _ types: [LogicalType]) throws -> LogicalType {
      try Aggregates.resolve(name: name, arguments: types).resultType
    }
    #expect(try result("SUM", [.boolean]) == .hugeint)
    #expect(try result("sum", [.uhugeint]) == .double)
    #expect(
      try result("sum", [.decimal(precision: 4, scale: 1)]) == .decimal(precision: 38, scale: 1))
    #expect(try result("median", [.date]) == .timestamp)
    #expect(try result("array_agg", [.list(.integer)]) == .list(.list(.integer)))
    #expect(try result("count", []) == .bigint)
    #expect(throws: SQLError.self) { try result("sum", [.varchar]) }
    #expect(throws: SQLError.self) { try result("sum", []) }
    #expect(throws: SQLError.self) { try result("summ", [.integer]) }
    #expect(Aggregates.all.map(\.name) == Aggregates.all.map(\.name).sorted())
    #expect(Set(Aggregates.allNames).count == Aggregates.allNames.count)
  }
}
