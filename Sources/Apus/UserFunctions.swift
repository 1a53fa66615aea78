import Columnar
import Diagnostics
import Functions
import Planner

/// A Swift type that SQL values convert to and from. SQL NULL is `nil` of an optional.
public protocol SQLValueConvertible {
  /// The SQL type, by name: "BIGINT", "DOUBLE", "VARCHAR", "BOOLEAN".
  static var sqlTypeName: String { get }
  /// The value of one row; nil when it is NULL and the type cannot say so.
  static func fromSQL(_ cell: SQLCell) -> Self?
  var sqlValue: SQLCell { get }
}

/// One value between SQL and Swift.
public enum SQLCell: Sendable {
  case null
  case boolean(Bool)
  case integer(Int64)
  case double(Double)
  case text(String)
}

extension Int: SQLValueConvertible {
  public static var sqlTypeName: String { "BIGINT" }
  public static func fromSQL(_ cell: SQLCell) -> Int? {
    if case .integer(let value) = cell { Int(value) } else { nil }
  }
  public var sqlValue: SQLCell { .integer(Int64(self)) }
}

extension Double: SQLValueConvertible {
  public static var sqlTypeName: String { "DOUBLE" }
  public static func fromSQL(_ cell: SQLCell) -> Double? {
    if case .double(let value) = cell { value } else { nil }
  }
  public var sqlValue: SQLCell { .double(self) }
}

extension String: SQLValueConvertible {
  public static var sqlTypeName: String { "VARCHAR" }
  public static func fromSQL(_ cell: SQLCell) -> String? {
    if case .text(let value) = cell { value } else { nil }
  }
  public var sqlValue: SQLCell { .text(self) }
}

extension Bool: SQLValueConvertible {
  public static var sqlTypeName: String { "BOOLEAN" }
  public static func fromSQL(_ cell: SQLCell) -> Bool? {
    if case .boolean(let value) = cell { value } else { nil }
  }
  public var sqlValue: SQLCell { .boolean(self) }
}

extension Optional: SQLValueConvertible where Wrapped: SQLValueConvertible {
  public static var sqlTypeName: String { Wrapped.sqlTypeName }
  public static func fromSQL(_ cell: SQLCell) -> Wrapped?? {
    if case .null = cell { return .some(nil) }
    return Wrapped.fromSQL(cell).map { .some($0) }
  }
  public var sqlValue: SQLCell { map(\.sqlValue) ?? .null }
}

extension Database {
  /// A scalar function over plain values, called row by row inside a batch. A NULL argument gives
  /// NULL unless its parameter is an optional. Volatile: equal arguments may give other results.
  ///
  ///     try database.register("plus_tax") { (price: Double, rate: Double) in price * (1 + rate) }
  public func register<each Argument: SQLValueConvertible, Output: SQLValueConvertible>(
    _ name: String, _ body: @escaping @Sendable (repeat each Argument) throws -> Output
  ) throws {
    var parameters: [LogicalType] = []
    for type in repeat (each Argument).self {
      parameters.append(UserTypes.logical(type.sqlTypeName))
    }
    let output = UserTypes.logical(Output.sqlTypeName)
    try register(name, parameters, output) { arguments, count, type in
      var builder = ColumnBuilder(type, capacity: count)
      for row in 0..<count {
        var position = 0
        var hasNull = false
        func read<T: SQLValueConvertible>(_ type: T.Type) -> T? {
          let cell = UserTypes.cell(arguments[position], row)
          position += 1
          let value = T.fromSQL(cell)
          if value == nil { hasNull = true }
          return value
        }
        let values = (repeat read((each Argument).self))
        if hasNull {
          builder.appendNull()
          continue
        }
        guard let result = try UserTypes.apply(body, repeat each values) else {
          builder.appendNull()
          continue
        }
        try builder.append(UserTypes.value(result.sqlValue))
      }
      return builder.finish()
    }
  }

  /// A scalar function over columns: one call per batch. Types are SQL names ("DOUBLE", "BIGINT",
  /// "BOOLEAN", "VARCHAR"); the closure gives one value per row, nil for NULL.
  public func register(
    _ name: String, parameters: [String], returns output: String,
    columns body:
      @escaping @Sendable (_ arguments: [UserColumn], _ rowCount: Int) throws -> [SQLCell]
  ) throws {
    let types = try parameters.map { try UserTypes.checked($0) }
    try register(name, types, try UserTypes.checked(output)) { arguments, count, type in
      let cells = try body(arguments.map { UserColumn($0.flattened()) }, count)
      guard cells.count == count else {
        throw SQLError(
          .invalidInput, "function \(name) gave \(cells.count) values for \(count) rows")
      }
      var builder = ColumnBuilder(type, capacity: count)
      for cell in cells { try builder.append(UserTypes.value(cell)) }
      return builder.finish()
    }
  }

  private func register(
    _ name: String, _ parameters: [LogicalType], _ output: LogicalType,
    kernel: @escaping @Sendable ([Column], Int, LogicalType) throws -> Column
  ) throws {
    let overload = ScalarOverload(
      parameters.map { .exactly($0) }, returns: output, nulls: .custom, isVolatile: true
    ) { arguments, count, type in
      do {
        return try kernel(arguments, count, type)
      } catch let error as SQLError {
        throw error
      } catch {
        throw SQLError(.invalidInput, "function \(name) failed: \(error)")
      }
    }
    do {
      try catalog.register(
        ScalarFunction(
          name, category: "user", summary: "registered by the program", examples: [],
          overloads: [overload]))
    } catch let error as SQLError {
      throw DatabaseError(error, in: "")
    }
  }
}

/// A column as a registered function reads it.
public struct UserColumn {
  private let column: Column

  init(_ column: Column) { self.column = column }

  public subscript(row: Int) -> SQLCell { UserTypes.cell(column, row) }
}

/// Between SQL's types and those of registered functions.
enum UserTypes {
  static func logical(_ name: String) -> LogicalType {
    switch name.uppercased() {
    case "BOOLEAN": .boolean
    case "DOUBLE": .double
    case "BIGINT": .bigint
    default: .varchar
    }
  }

  static func checked(_ name: String) throws -> LogicalType {
    guard ["BOOLEAN", "DOUBLE", "BIGINT", "VARCHAR"].contains(name.uppercased()) else {
      throw DatabaseError(
        SQLError(
          .notSupported, "a registered function cannot take or give \(name)",
          hint: "BOOLEAN, BIGINT, DOUBLE or VARCHAR"), in: "")
    }
    return logical(name)
  }

  static func cell(_ column: Column, _ row: Int) -> SQLCell {
    if column.isNull(row) { return .null }
    let index = column.valueIndex(row)
    switch column.type {
    case .boolean: return .boolean(column.values(as: UInt8.self)[index] != 0)
    case .bigint: return .integer(column.values(as: Int64.self)[index])
    case .double: return .double(column.values(as: Double.self)[index])
    default: return .text(column.values(as: StringView.self)[index].string)
    }
  }

  static func parameter(_ value: any SQLValueConvertible) -> ParameterValue {
    let cell = value.sqlValue
    switch cell {
    case .null: return ParameterValue(.null, .null)
    case .boolean: return ParameterValue(UserTypes.value(cell), .boolean)
    case .integer(let number):
      // As a literal of that size, so that it fits into narrower columns without a cast.
      let isSmall = Int32(exactly: number) != nil
      return ParameterValue(UserTypes.value(cell), isSmall ? .integer : .bigint)
    case .double: return ParameterValue(UserTypes.value(cell), .double)
    case .text: return ParameterValue(UserTypes.value(cell), .varchar)
    }
  }

  static func value(_ cell: SQLCell) -> Value {
    switch cell {
    case .null: .null
    case .boolean(let value): .boolean(value)
    case .integer(let value): .integer(Int128(value))
    case .double(let value): .double(value)
    case .text(let value): .varchar(value)
    }
  }

  /// Calls the body with all values there; nil when one is missing.
  static func apply<each Argument, Output>(
    _ body: (repeat each Argument) throws -> Output, _ values: repeat (each Argument)?
  ) throws -> Output? {
    func required<T>(_ value: T?) throws -> T {
      guard let value else { throw MissingArgument() }
      return value
    }
    do {
      return try body(repeat try required(each values))
    } catch is MissingArgument {
      return nil
    }
  }

  private struct MissingArgument: Error {}
}
