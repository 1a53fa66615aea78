import Columnar
import Diagnostics
import Syntax

/// The options of COPY as values.
enum CopyValues {
  static func read(_ options: [CopyOption]) throws -> (
    format: String?, options: FileFormat.Options
  ) {
    var format: String?
    var values: FileFormat.Options = []
    for option in options {
      let value = try value(option)
      if option.name.name.lowercased() == "format" {
        guard case .varchar(let text) = value.0 else {
          throw SQLError(.binder, "FORMAT takes a name", at: option.name.span)
        }
        format = text
      } else {
        values.append((name: option.name.name, value: value.0, type: value.1))
      }
    }
    return (format, values)
  }

  private static func value(_ option: CopyOption) throws -> (Value, LogicalType) {
    guard let expression = option.value else { return (.boolean(true), .boolean) }
    switch expression.kind {
    case .literal(.string(let text)): return (.varchar(text), .varchar)
    case .literal(.boolean(let value)): return (.boolean(value), .boolean)
    case .literal(.integer(let text)):
      return (Int128(text).map { .integer($0) } ?? .null, .bigint)
    case .column(let word): return (.varchar(word.last.name), .varchar)
    default:
      throw SQLError(
        .binder, "option \"\(option.name.name)\" takes a literal", at: expression.span)
    }
  }
}
