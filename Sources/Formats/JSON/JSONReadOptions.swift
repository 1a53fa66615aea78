import Columnar
import Diagnostics
import Functions

/// How documents stand in a JSON file.
package enum JSONLayout: String, Sendable, CaseIterable {
  /// A document a line.
  case newlineDelimited = "newline_delimited"
  /// The elements of one array.
  case array
  /// One document behind another, across lines.
  case unstructured
}

/// What `read_json` was told; nil where the file itself is to tell.
package struct JSONReadOptions: Sendable {
  package var layout: JSONLayout?
  /// The columns by name and type; nil to find them in a sample.
  package var columns: [Field]?
  package var detects = true
  /// Whether each document's members are the columns, or the document is the only column.
  package var isRecords: Bool?
  /// The documents as they are, in one column of type JSON.
  package var givesObjects = false
  package var sampleSize = 20_480
  package var maximumSampleFiles = 32
  /// Deeper values are JSON; nil for no limit.
  package var maximumDepth: Int?
  package var fieldAppearanceThreshold = 0.1
  /// Objects of so many keys with alike values are a MAP; nil for never.
  package var mapThreshold: Int? = 200
  package var convertsStringsToIntegers = false
  package var ignoresErrors = false
  package var maximumObjectSize = 16 << 20
  package var compression: FileCompression?
  package var fileNameColumn: String?

  package init() {}

  static let optionNames = [
    "array", "auto_detect", "columns", "compression", "convert_strings_to_integers",
    "field_appearance_threshold", "filename", "format", "ignore_errors", "map_inference_threshold",
    "maximum_depth", "maximum_object_size", "maximum_sample_files", "records", "sample_size",
    "union_by_name",
  ]

  /// Reads the named arguments of `read_json` or the options of COPY … FROM.
  package init(_ arguments: [(name: String, value: Value, type: LogicalType)]) throws {
    var detectsIsGiven = false
    for (name, value, type) in arguments {
      switch name.lowercased() {
      case "format": layout = try JSONReadOptions.layout(value)
      case "array":
        layout = try value.isNull || FormatOption.flag(name, value) ? .array : .newlineDelimited
      case "columns": columns = try FormatOption.fields(name, value, type)
      case "auto_detect":
        detects = try FormatOption.flag(name, value)
        detectsIsGiven = true
      case "records":
        if case .varchar(let text) = value, text.lowercased() == "auto" { break }
        isRecords = try FormatOption.flag(name, value)
      case "objects": givesObjects = try FormatOption.flag(name, value)
      case "sample_size": sampleSize = try JSONReadOptions.limit(name, value) ?? .max
      case "maximum_sample_files":
        maximumSampleFiles = try JSONReadOptions.limit(name, value) ?? .max
      case "maximum_depth": maximumDepth = try JSONReadOptions.limit(name, value)
      case "map_inference_threshold": mapThreshold = try JSONReadOptions.limit(name, value)
      case "field_appearance_threshold":
        fieldAppearanceThreshold = try JSONReadOptions.share(name, value, type)
      case "convert_strings_to_integers":
        convertsStringsToIntegers = try FormatOption.flag(name, value)
      case "ignore_errors": ignoresErrors = try FormatOption.flag(name, value)
      case "maximum_object_size": maximumObjectSize = try FormatOption.count(name, value)
      // The columns of all files are found together in any case.
      case "union_by_name": _ = try FormatOption.flag(name, value)
      case "filename":
        if case .varchar(let text) = value, Set(["true", "false"]).isDisjoint(with: [text]) {
          fileNameColumn = text
        } else {
          fileNameColumn = try FormatOption.flag(name, value) ? "filename" : nil
        }
      case "compression":
        compression = try FormatOption.compression(name, value)
      default:
        throw SQLError(
          .binder, "read_json has no option \"\(name)\"",
          hint: didYouMean(name, among: JSONReadOptions.optionNames))
      }
    }
    if columns != nil, !detectsIsGiven { detects = false }
    if !detects, columns == nil, !givesObjects {
      throw SQLError(
        .binder, "read_json needs columns where auto_detect is false",
        hint: "such as columns = {a: 'INTEGER'}")
    }
  }

  private static func layout(_ value: Value) throws -> JSONLayout? {
    let text = try FormatOption.text("format", value).lowercased()
    if text == "auto" { return nil }
    if text == "nd" || text == "newline" { return .newlineDelimited }
    guard let layout = JSONLayout(rawValue: text) else {
      throw SQLError(
        .binder, "unknown layout \"\(text)\" of JSON files",
        hint: "use auto, newline_delimited, array or unstructured")
    }
    return layout
  }

  /// A count, -1 for no limit.
  private static func limit(_ name: String, _ value: Value) throws -> Int? {
    let number = try FormatOption.integer(name, value)
    return number < 0 ? nil : number
  }

  private static func share(_ name: String, _ value: Value, _ type: LogicalType) throws -> Double {
    let number = try Cast.column(Column.constant(value, type, count: 1), to: .double, tryCast: true)
    guard case .double(let share) = number.value(0), share >= 0, share <= 1 else {
      throw SQLError(.binder, "option \"\(name)\" of read_json takes a number from 0 to 1")
    }
    return share
  }
}
