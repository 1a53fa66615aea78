import Columnar
import Diagnostics
import Functions
import Testing

struct CastTests {
  static let expectations: [(sql: String, result: String)] = [
    ("2.5::DOUBLE::INTEGER", "2"), ("3.5::DOUBLE::INTEGER", "4"), ("2.5::INTEGER", "3"),
    ("-2.5::INTEGER", "-3"), ("'12'::INTEGER", "12"), ("' 7 '::BIGINT", "7"),
    ("1.005::DECIMAL(4,2)", "1.01"), ("1::DECIMAL(4,2)", "1.00"), ("true::INTEGER", "1"),
    ("0::BOOLEAN", "false"), ("'yes'::BOOLEAN::VARCHAR", "true"),
    ("DATE '2024-01-02'::TIMESTAMP", "2024-01-02 00:00:00"),
    ("TIMESTAMP '1969-12-31 23:00:00'::DATE", "1969-12-31"),
    ("'[1, 2, NULL]'::INTEGER[]", "[1, 2, NULL]"), ("[1.5, 2]::INTEGER[]", "[2, 2]"),
    ("[1, 2]::DOUBLE[2]", "[1.0, 2.0]"), ("1e10::BIGINT", "10000000000"),
    ("123.456::DECIMAL(10,3)::DOUBLE", "123.456"), ("'ab'::BLOB", "ab"),
    ("typeof(1::TINYINT + 1)", "TINYINT"), ("typeof(1::TINYINT + 1000)", "INTEGER"),
    ("typeof(1.5 + 1)", "DECIMAL(12,1)"), ("typeof(1.5 * 2.25)", "DECIMAL(5,3)"),
    ("typeof(1::BIGINT + 1.5)", "DECIMAL(21,1)"), ("typeof(1.5 / 2)", "DOUBLE"),
    ("typeof(round(1.555, 2))", "DECIMAL(4,2)"), ("typeof(1::UINTEGER + 1::INTEGER)", "BIGINT"),
    ("'2024-01-01' < DATE '2024-02-01'", "true"), ("1 = '1'", "true"), ("5 / 0", "NULL"),
  ]

  @Test func everyExpectation() throws {
    for expectation in Self.expectations {
      do {
        let text = try ExpressionEvaluator.text(expectation.sql)
        #expect(text == expectation.result, "\(expectation.sql)")
      } catch {
        Issue.record("\(expectation.sql): \(error)")
      }
    }
  }

  /// Errors name the offending thing; nothing traps.
  static let errors: [(sql: String, part: String)] = [
    ("'abc'::INTEGER", "could not convert string 'abc' to INT32"),
    ("300::TINYINT", "value 300"), ("1e300::BIGINT", "out of range"),
    ("'nan'::DOUBLE::INTEGER", "out of range"), ("99999::DECIMAL(4,1)", "out of range"),
    ("2147483647 + 1::INTEGER", "overflow in addition of INTEGER (2147483647 + 1)"),
    ("-9223372036854775808 - 1::BIGINT", "overflow in subtraction"),
    ("abs('-128'::TINYINT)", "overflow in abs"), ("'-128'::TINYINT // -1", "overflow in division"),
    ("repeat('ab', 1000000000000)", "1 GiB"), ("lpad('a', 9000000000000, 'x')", "1 GiB"),
    ("sqrt('x'::VARCHAR)", "no function matches sqrt(VARCHAR); candidates: sqrt(DOUBLE)"),
    ("sqrrt(4)", "there is no function sqrrt"), ("[1, 2]::INTEGER[3]", "3 elements"),
    ("regexp_matches('aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!', '^(a+)+$')", "gave up"),
    ("regexp_matches('a', '(')", "malformed"), ("date_trunc('mnth', DATE '2024-01-01')", "mnth"),
    ("DATE '2024-01-01' + 2147483647", "out of range"), ("1 << 40", "overflow in left shift"),
    ("lpad('a', 3, '')", "empty"), ("make_date(2023, 2, 29)", "there is no date"),
    ("1 = DATE '2024-01-01'", "cannot compare"), ("factorial(34)", "overflow"),
  ]

  @Test func everyError() {
    for expected in Self.errors {
      do {
        let text = try ExpressionEvaluator.text(expected.sql)
        Issue.record("\(expected.sql) gave \(text)")
      } catch let error as SQLError {
        #expect(error.message.contains(expected.part), "\(expected.sql): \(error)")
      } catch {
        Issue.record("\(expected.sql): \(error)")
      }
    }
  }

  @Test func tryCastGivesNull() throws {
    let text = try Column.constant(.varchar("x"), .varchar, count: 3)
    let cast = try Cast.column(text, to: .integer, tryCast: true)
    #expect(cast.count == 3 && cast.isNull(0) && cast.isNull(2))
  }

  /// A dictionary value that no row refers to may be anything.
  @Test func unreferencedValuesDoNotMatter() throws {
    var builder = ColumnBuilder(.varchar)
    for word in ["1", "bad", "3"] { try builder.append(.varchar(word)) }
    let column = Column.dictionary(builder.finish(), Selection([0, 2, 0, 2]))
    let cast = try Cast.column(column, to: .integer)
    #expect((0..<4).map { cast.value($0) } == [1, 3, 1, 3].map { .integer($0) })
  }

  @Test func commonTypes() {
    #expect(ImplicitCast.commonType(.integer, .bigint) == .bigint)
    #expect(ImplicitCast.commonType(.ubigint, .bigint) == .hugeint)
    #expect(ImplicitCast.commonType(.date, .timestamp) == .timestamp)
    #expect(ImplicitCast.commonType(.decimal(precision: 4, scale: 1), .double) == .double)
    #expect(
      ImplicitCast.commonType(.decimal(precision: 4, scale: 1), .integer)
        == .decimal(precision: 11, scale: 1))
    #expect(ImplicitCast.commonType(.varchar, .integer) == nil)
    #expect(ImplicitCast.commonType(.varchar, .integer, force: true) == .varchar)
    #expect(
      ImplicitCast.commonType([.tinyint, .integer], literals: [.none, .integer(5)]) == .tinyint)
    #expect(ImplicitCast.commonType([.date, .varchar], literals: [.none, .string]) == .date)
  }
}
