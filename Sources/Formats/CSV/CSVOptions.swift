import Columnar
import Diagnostics

/// What `read_csv` was told; nil where the file itself is to tell.
package struct CSVOptions: Sendable {
  package var delimiter: UInt8?
  package var quote: CSVQuoting?
  package var escape: UInt8?
  package var header: Bool?
  package var nullText: [UInt8] = []
  package var skip = 0
  package var names: [String] = []
  /// All columns in order, given by `columns`.
  package var columns: [Field]?
  /// Types by column name, or in order under the names "0", "1", ….
  package var types: [Field] = []
  package var typesAreByPosition = false
  package var allVarchar = false
  package var detects = true
  /// Records that types are sniffed from; `Int.max` for all.
  package var sampleSize = 20_480
  package var ignoresErrors = false
  package var compression: FileCompression?

  package init() {}

  static let optionNames = [
    "all_varchar", "auto_detect", "columns", "compression", "delim", "delimiter", "escape",
    "header", "ignore_errors", "names", "nullstr", "quote", "sample_size", "sep", "skip", "types",
    "dtypes", "column_names", "column_types",
  ]

  /// Reads the named arguments of `read_csv` or the options of COPY … FROM.
  package init(_ arguments: [(name: String, value: Value, type: LogicalType)]) throws {
    for (name, value, type) in arguments {
      switch name.lowercased() {
      case "delim", "sep", "delimiter": delimiter = try CSVOptions.character(name, value)
      case "quote":
        let text = try CSVOptions.text(name, value)
        quote = text.isEmpty ? CSVQuoting.none : .character(try CSVOptions.character(name, value))
      case "escape":
        if try !CSVOptions.text(name, value).isEmpty {
          escape = try CSVOptions.character(name, value)
        }
      case "header": header = try CSVOptions.flag(name, value)
      case "nullstr": nullText = Array(try CSVOptions.text(name, value).utf8)
      case "skip": skip = try CSVOptions.count(name, value)
      case "names", "column_names": names = try CSVOptions.list(name, value)
      case "columns": columns = try CSVOptions.fields(name, value, type)
      case "types", "dtypes", "column_types":
        if case .list = value {
          typesAreByPosition = true
          types = try CSVOptions.list(name, value).enumerated().map {
            Field("\($0.offset)", try CSVOptions.type($0.element))
          }
        } else {
          types = try CSVOptions.fields(name, value, type)
        }
      case "all_varchar": allVarchar = try CSVOptions.flag(name, value)
      case "auto_detect": detects = try CSVOptions.flag(name, value)
      case "sample_size":
        let size = try CSVOptions.integer(name, value)
        sampleSize = size < 0 ? .max : max(1, size)
      case "ignore_errors": ignoresErrors = try CSVOptions.flag(name, value)
      case "compression":
        let text = try CSVOptions.text(name, value).lowercased()
        if text != "auto" && text != "auto_detect" {
          guard let found = FileCompression(rawValue: text == "gz" ? "gzip" : text) else {
            throw SQLError(
              .binder, "unknown compression \"\(text)\"", hint: "use auto, none, gzip or zstd")
          }
          compression = found
        }
      default:
        throw SQLError(
          .binder, "read_csv has no option \"\(name)\"",
          hint: didYouMean(name, among: CSVOptions.optionNames))
      }
    }
  }

  // MARK: Values

  static func text(_ name: String, _ value: Value) throws -> String {
    guard case .varchar(let text) = value else { throw wrongValue(name, "a string") }
    return text
  }

  static func character(_ name: String, _ value: Value) throws -> UInt8 {
    let text = try text(name, value)
    let plain = text == "\\t" ? "\t" : text
    guard plain.utf8.count == 1, let byte = plain.utf8.first, byte != 10, byte != 13 else {
      throw wrongValue(name, "one ASCII character")
    }
    return byte
  }

  static func flag(_ name: String, _ value: Value) throws -> Bool {
    switch value {
    case .boolean(let flag): return flag
    case .integer(0): return false
    case .integer(1): return true
    case .varchar(let text):
      if let flag = TextParsing.withText(text, { TextParsing.boolean($0) }) { return flag }
      throw wrongValue(name, "true or false")
    default: throw wrongValue(name, "true or false")
    }
  }

  static func integer(_ name: String, _ value: Value) throws -> Int {
    guard case .integer(let wide) = value, let number = Int(exactly: wide) else {
      throw wrongValue(name, "an integer")
    }
    return number
  }

  static func count(_ name: String, _ value: Value) throws -> Int {
    let number = try integer(name, value)
    if number < 0 { throw wrongValue(name, "an integer that is not negative") }
    return number
  }

  static func list(_ name: String, _ value: Value) throws -> [String] {
    guard case .list(let elements) = value else { throw wrongValue(name, "a list of strings") }
    return try elements.map { try text(name, $0) }
  }

  static func fields(_ name: String, _ value: Value, _ type: LogicalType) throws -> [Field] {
    guard case .structure(let values) = value, case .structure(let fields) = type,
      values.count == fields.count
    else { throw wrongValue(name, "a struct like {'column': 'TYPE'}") }
    return try zip(fields, values).map {
      Field($0.name, try CSVOptions.type(try text(name, $1)))
    }
  }

  private static func wrongValue(_ name: String, _ wanted: String) -> SQLError {
    SQLError(.binder, "option \"\(name)\" of read_csv takes \(wanted)")
  }

  /// The scalar type of a name as it stands in an option.
  static func type(_ name: String) throws -> LogicalType {
    let upper = name.uppercased()
    if let known = typeNames[upper] { return known }
    if upper.hasPrefix("DECIMAL(") || upper.hasPrefix("NUMERIC("), upper.hasSuffix(")") {
      let numbers = upper.dropFirst(8).dropLast().split(separator: ",").map {
        Int(String($0.filter { $0 != " " }))
      }
      if numbers.count <= 2, let first = numbers.first, let precision = first,
        let scale = numbers.count == 2 ? numbers[1] : 0, precision >= 1, precision <= 38,
        scale >= 0, scale <= precision
      {
        return .decimal(precision: precision, scale: scale)
      }
    }
    throw SQLError(
      .catalog, "no type \"\(name)\" can be read from CSV",
      hint: didYouMean(upper, among: typeNames.keys))
  }

  private static let typeNames: [String: LogicalType] = [
    "BIGINT": .bigint, "BLOB": .blob, "BOOL": .boolean, "BOOLEAN": .boolean, "DATE": .date,
    "DECIMAL": .decimal(precision: 18, scale: 3), "DOUBLE": .double, "FLOAT": .float,
    "FLOAT4": .float, "FLOAT8": .double, "HUGEINT": .hugeint, "INT": .integer, "INT1": .tinyint,
    "INT2": .smallint, "INT4": .integer, "INT8": .bigint, "INTEGER": .integer,
    "INTERVAL": .interval, "LONG": .bigint, "NUMERIC": .decimal(precision: 18, scale: 3),
    "REAL": .float, "SMALLINT": .smallint, "STRING": .varchar, "TEXT": .varchar, "TIME": .time,
    "TIMESTAMP": .timestamp,
    "DATETIME": .timestamp, "TIMESTAMPTZ": .timestampTZ, "TIMESTAMP WITH TIME ZONE": .timestampTZ,
    "TIMESTAMP_NS": .timestampNanoseconds, "TIMESTAMP_MS": .timestampMilliseconds,
    "TIMESTAMP_S": .timestampSeconds, "TIMESTAMP_US": .timestamp, "TIMETZ": .timeTZ,
    "TIME WITH TIME ZONE": .timeTZ, "TINYINT": .tinyint, "UBIGINT": .ubigint, "UHUGEINT": .uhugeint,
    "UINTEGER": .uinteger, "USMALLINT": .usmallint, "UTINYINT": .utinyint, "UUID": .uuid,
    "VARCHAR": .varchar,
  ]
}

/// Which character quotes fields, if any.
package enum CSVQuoting: Hashable, Sendable {
  case none
  case character(UInt8)
}

/// The characters that a file is written with.
package struct CSVDialect: Hashable, Sendable {
  package var delimiter: UInt8 = 0x2C
  package var quoting = CSVQuoting.character(0x22)
  /// Inside quotes, makes the next character plain; the quote itself when quotes are doubled.
  package var escape: UInt8 = 0x22
  /// Line feed, also after a carriage return; carriage return where files have nothing else.
  package var newline: UInt8 = 0x0A

  package init() {}

  /// Whether quotes only ever toggle, as the fast scan needs it.
  var isRegular: Bool {
    if case .character(let quote) = quoting { return escape == quote }
    return true
  }

  var quote: UInt8? {
    if case .character(let quote) = quoting { return quote }
    return nil
  }
}
