import Columnar
import Diagnostics
import Functions
import Planner

/// A Swift type that SQL values convert to and from. SQL NULL is `nil` of an optional.
public protocol SQLValueConvertible {
  /// The SQL type, by name: "BIGINT", "FLOAT", "DOUBLE", "VARCHAR", "BOOLEAN", "DOUBLE[]".
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
  case list([SQLCell])
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

/// As a parameter and in a column of cells it is a DOUBLE.
extension Float: SQLValueConvertible {
  public static var sqlTypeName: String { "FLOAT" }
  public static func fromSQL(_ cell: SQLCell) -> Float? {
    if case .double(let value) = cell { Float(value) } else { nil }
  }
  public var sqlValue: SQLCell { .double(Double(self)) }
}

/// A list: `[Double]` is a DOUBLE[].
extension Array: SQLValueConvertible where Element: SQLValueConvertible {
  public static var sqlTypeName: String { Element.sqlTypeName + "[]" }
  public static func fromSQL(_ cell: SQLCell) -> [Element]? {
    guard case .list(let cells) = cell else { return nil }
    var elements: [Element] = []
    for cell in cells {
      guard let element = Element.fromSQL(cell) else { return nil }
      elements.append(element)
    }
    return elements
  }
  public var sqlValue: SQLCell { .list(map(\.sqlValue)) }
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
        try builder.append(UserTypes.value(result.sqlValue, as: type))
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
      for cell in cells { try builder.append(UserTypes.value(cell, as: type)) }
      return builder.finish()
    }
  }

  private func register(
    _ name: String, _ parameters: [LogicalType], _ output: LogicalType,
    kernel: @escaping @Sendable ([Column], Int, LogicalType) throws -> Column
  ) throws {
    try register(
      name,
      ScalarOverload(
        parameters.map { .exactly($0) }, returns: output, nulls: .custom, isVolatile: true,
        kernel: UserTypes.named(name, kernel)))
  }

  func register(_ name: String, _ overload: ScalarOverload) throws {
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
    if name.hasSuffix("[]") { return .list(logical(String(name.dropLast(2)))) }
    return switch name.uppercased() {
    case "BOOLEAN": .boolean
    case "DOUBLE": .double
    case "FLOAT": .float
    case "BIGINT": .bigint
    default: .varchar
    }
  }

  /// Whether `cell` reads values of the type as they are.
  static func isPlain(_ type: LogicalType) -> Bool {
    switch type {
    case .boolean, .bigint, .double, .float, .varchar: true
    case .list(let element), .array(let element, _): isPlain(element)
    default: false
    }
  }

  /// The kernel with the function's name in the errors that are not ours.
  static func named(_ name: String, _ kernel: @escaping ScalarOverload.Kernel)
    -> ScalarOverload.Kernel
  {
    { arguments, count, type in
      do {
        return try kernel(arguments, count, type)
      } catch let error as SQLError {
        throw error
      } catch let error as DatabaseError {
        throw SQLError(.invalidInput, "function \(name) failed: \(error.message)")
      } catch {
        throw SQLError(.invalidInput, "function \(name) failed: \(error)")
      }
    }
  }

  static func checked(_ name: String) throws -> LogicalType {
    var element = Substring(name)
    while element.hasSuffix("[]") { element = element.dropLast(2) }
    guard ["BOOLEAN", "FLOAT", "DOUBLE", "BIGINT", "VARCHAR"].contains(element.uppercased()) else {
      throw DatabaseError(
        SQLError(
          .notSupported, "a registered function cannot take or give \(name)",
          hint: "BOOLEAN, BIGINT, FLOAT, DOUBLE or VARCHAR, or lists of them"), in: "")
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
    case .float: return .double(Double(column.values(as: Float.self)[index]))
    case .list:
      let entry = column.values(as: ListEntry.self)[index]
      let elements = column.children[0]
      return .list((0..<entry.length).map { cell(elements, entry.offset + $0) })
    case .array(_, let count):
      let elements = column.children[0]
      return .list((0..<count).map { cell(elements, index * count + $0) })
    default: return .text(column.values(as: StringView.self)[index].string)
    }
  }

  static func parameter(_ value: any SQLValueConvertible) -> ParameterValue {
    parameter(value.sqlValue, declared: logical(type(of: value).sqlTypeName))
  }

  private static func parameter(_ cell: SQLCell, declared: LogicalType) -> ParameterValue {
    switch cell {
    case .null: return ParameterValue(.null, .null)
    case .boolean: return ParameterValue(UserTypes.value(cell), .boolean)
    case .integer(let number):
      // As a literal of that size, so that it fits into narrower columns without a cast.
      let isSmall = Int32(exactly: number) != nil
      return ParameterValue(UserTypes.value(cell), isSmall ? .integer : .bigint)
    case .double: return ParameterValue(UserTypes.value(cell), .double)
    case .text: return ParameterValue(UserTypes.value(cell), .varchar)
    case .list(let cells):
      let element = declared.elementType ?? .null
      let types = cells.map { parameter($0, declared: element).type }.filter { $0 != .null }
      let isWide = types.contains(.bigint)
      return ParameterValue(
        UserTypes.value(cell), .list(isWide ? .bigint : types.first ?? element))
    }
  }

  /// As a column of that type takes it.
  static func value(_ cell: SQLCell, as type: LogicalType) -> Value {
    switch cell {
    case .double(let value) where type == .float: .float(Float(value))
    case .list(let cells): .list(cells.map { value($0, as: type.elementType ?? .null) })
    case .null, .boolean, .integer, .double, .text: value(cell)
    }
  }

  static func value(_ cell: SQLCell) -> Value {
    switch cell {
    case .null: .null
    case .boolean(let value): .boolean(value)
    case .integer(let value): .integer(Int128(value))
    case .double(let value): .double(value)
    case .text(let value): .varchar(value)
    case .list(let cells): .list(cells.map(value))
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
