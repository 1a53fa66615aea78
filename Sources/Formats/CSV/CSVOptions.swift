import Columnar
import Diagnostics
import Functions

/// What `read_csv` was told; nil where the file itself is to tell.
package struct CSVOptions: Sendable {
  package var delimiter: UInt8?
  package var quote: CSVQuoting?
  package var escape: UInt8?
  package var header: Bool?
  package var nullText: [UInt8] = []
  /// Whether a text in quotes may be NULL too.
  package var allowsQuotedNulls = false
  /// Lower-case names of columns whose texts are never NULL.
  package var neverNull: [String] = []
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
    "all_varchar", "allow_quoted_nulls", "auto_detect", "columns", "compression", "delim",
    "delimiter", "escape", "force_not_null", "header", "ignore_errors", "names", "nullstr", "quote",
    "sample_size", "sep", "skip", "types",
    "dtypes", "column_names", "column_types",
  ]

  /// Reads the named arguments of `read_csv` or the options of COPY … FROM.
  package init(_ arguments: [(name: String, value: Value, type: LogicalType)]) throws {
    for (name, value, type) in arguments {
      switch name.lowercased() {
      case "delim", "sep", "delimiter": delimiter = try FormatOption.character(name, value)
      case "quote":
        let text = try FormatOption.text(name, value)
        quote = text.isEmpty ? CSVQuoting.none : .character(try FormatOption.character(name, value))
      case "escape":
        if try !FormatOption.text(name, value).isEmpty {
          escape = try FormatOption.character(name, value)
        }
      case "header": header = try FormatOption.flag(name, value)
      case "nullstr": nullText = Array(try FormatOption.text(name, value).utf8)
      case "allow_quoted_nulls": allowsQuotedNulls = try FormatOption.flag(name, value)
      case "force_not_null":
        if case .varchar(let one) = value {
          neverNull = [one.lowercased()]
        } else {
          neverNull = try FormatOption.list(name, value).map { $0.lowercased() }
        }
      case "skip": skip = try FormatOption.count(name, value)
      case "names", "column_names": names = try FormatOption.list(name, value)
      case "columns": columns = try FormatOption.fields(name, value, type)
      case "types", "dtypes", "column_types":
        if case .list = value {
          typesAreByPosition = true
          types = try FormatOption.list(name, value).enumerated().map {
            Field("\($0.offset)", try TypeText.type(named: $0.element))
          }
        } else {
          types = try FormatOption.fields(name, value, type)
        }
      case "all_varchar": allVarchar = try FormatOption.flag(name, value)
      case "auto_detect": detects = try FormatOption.flag(name, value)
      case "sample_size":
        let size = try FormatOption.integer(name, value)
        sampleSize = size < 0 ? .max : max(1, size)
      case "ignore_errors": ignoresErrors = try FormatOption.flag(name, value)
      case "compression": compression = try FormatOption.compression(name, value)
      default:
        throw SQLError(
          .binder, "read_csv has no option \"\(name)\"",
          hint: didYouMean(name, among: CSVOptions.optionNames))
      }
    }
  }
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
