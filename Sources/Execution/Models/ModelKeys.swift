import Columnar
import Diagnostics
import Planner
import Syntax

/// What tells the networks of one version apart: the columns of FOR EACH, and their values for each
/// network, ascending. No value is NULL.
struct ModelKeys: Sendable {
  let fields: [Field]
  /// By field, then by network.
  let values: [[Value]]

  var count: Int { values.first?.count ?? 0 }

  /// The values of a field, a row for each network.
  func column(_ field: Int) throws -> Column {
    var builder = ColumnBuilder(fields[field].type, capacity: count)
    for value in values[field] { try builder.append(value) }
    return builder.finish()
  }

  /// A network's key: one value per field.
  func key(_ network: Int) -> [Value] { values.map { $0[network] } }

  /// `k = 7, city = 'Bern'`, for messages.
  static func text(_ key: [Value], _ fields: [Field]) -> String {
    zip(fields, key).map { field, value in
      let text = (try? ModelState.texts(of: [value], field.type).first) ?? "?"
      return "\(field.name) = \(field.type == .varchar ? "'\(text)'" : text)"
    }.joined(separator: ", ")
  }
}

// As a part of a version's state.
extension ModelKeys {
  /// Errors: what `json` did not make.
  init(_ json: ModelJSON) throws {
    guard let names = json["names"]?.texts, let types = json["types"]?.texts,
      let lists = json["values"]?.items, names.count == types.count, names.count == lists.count,
      !names.isEmpty
    else { throw Self.damaged() }
    fields = try zip(names, types).map { Field($0, try Self.type($1)) }
    values = try zip(lists, fields).map { list, field in
      guard let texts = list.texts else { throw Self.damaged() }
      return try ModelState.values(of: texts, field.type)
    }
    let count = values[0].count
    guard values.allSatisfy({ list in list.count == count && !list.contains(where: \.isNull) })
    else { throw Self.damaged() }
  }

  func json() throws -> ModelJSON {
    .object([
      ("names", .array(fields.map { .text($0.name) })),
      ("types", .array(fields.map { .text($0.type.description) })),
      (
        "values",
        .array(
          try zip(values, fields).map { list, field in
            .array(try ModelState.texts(of: list, field.type).map { .text($0) })
          })
      ),
    ])
  }

  private static func type(_ text: String) throws -> LogicalType {
    guard case .cast(let cast) = try Parser.parseExpression("x::\(text)").kind else {
      throw damaged()
    }
    return try TypeResolution.resolve(cast.type)
  }

  private static func damaged() -> SQLError {
    SQLError(.model, "the keys of this model are damaged")
  }
}
