import Columnar
import Functions

extension TransformDefinition {
  /// What takes a NULL's place is computed from the training rows that have a value.
  static let impute = TransformDefinition(
    "impute", parameters: [TransformParameter("with", .text("mean"))],
    summary: "x, and for NULL the training rows' 'mean', 'median' or 'mode', or a constant",
    example: "impute(age, 'median')",
    fit: .aggregates { arguments, x in
      switch arguments["with"].text {
      case "mean": return ["avg(\(x)::DOUBLE)"]
      case "median": return ["median(\(x)::DOUBLE)"]
      case "mode": return ["mode(\(x))::VARCHAR"]
      default: return ["NULL::DOUBLE"]
      }
    }
  ) { arguments, state in
    let wanted = arguments["with"]
    var number = wanted.number
    var text: String?
    if ["mean", "median"].contains(wanted.text) {
      number = try FittedTransform.numbers(state, 1)[0] ?? 0
    } else if wanted.text == "mode" {
      text = state?.items?.first?.text ?? ""
      number = text.flatMap { Double($0) } ?? 0
    } else {
      text = wanted.text
    }
    if number == nil, text == nil {
      throw arguments.error("with", "'mean', 'median', 'mode' or a constant")
    }
    var overloads: [ScalarOverload] = []
    if let number {
      overloads.append(
        ScalarOverload([.exactly(.double)], returns: .double, nulls: .custom) { columns, count, _ in
          try filled(columns[0], count, .double, .double(number))
        })
    }
    if let text {
      overloads.append(
        ScalarOverload([.exactly(.varchar)], returns: .varchar, nulls: .custom) {
          columns, count, _ in
          try filled(columns[0], count, .varchar, .varchar(text))
        })
    }
    return FittedTransform(overloads: overloads)
  }

  /// The column with its NULLs replaced: a dictionary over its values and one more.
  private static func filled(_ column: Column, _ count: Int, _ type: LogicalType, _ value: Value)
    throws -> Column
  {
    guard column.mayHaveNulls else { return column }
    var builder = ColumnBuilder(type, capacity: count)
    for row in 0..<count { try builder.append(column.isNull(row) ? value : column.value(row)) }
    return builder.finish()
  }
}
