import Columnar
import Diagnostics

/// Making and reading STRUCT values: their signatures depend on field names, so they are built
/// here and not found in a table.
package enum StructFields {
  package static func pack(names: [String], types: [LogicalType]) -> ResolvedScalar {
    let overload = packing(names: names, types: types)
    return ResolvedScalar(
      function: ScalarFunction(
        "struct_pack(\(names.joined(separator: ",")))", category: "struct",
        summary: "a STRUCT of its arguments", examples: [], overloads: [overload]),
      overload: overload, argumentTypes: types,
      resultType: .structure(zip(names, types).map { Field($0, $1) }))
  }

  /// The overload that packs values of these types.
  static func packing(names: [String], types: [LogicalType]) -> ScalarOverload {
    let type = LogicalType.structure(zip(names, types).map { Field($0, $1) })
    return ScalarOverload([], variadic: .any, returns: type, nulls: .custom) {
      arguments, count, type in
      let children = arguments.map { $0.flattened() }
      return Column(flat: type, count: count, children: children)
    }
  }

  /// `name` must be a field of `type`.
  package static func extract(_ name: String, from type: LogicalType) -> ResolvedScalar {
    guard case .structure(let fields) = type,
      let position = fields.firstIndex(where: { $0.name.lowercased() == name.lowercased() })
    else { preconditionFailure("the binder checked that \(type) has the field \(name)") }
    return extract(at: position, of: fields)
  }

  /// The field at a position from 0, which may be without a name.
  package static func extract(at position: Int, of fields: [Field]) -> ResolvedScalar {
    let overload = extracting(position, of: fields)
    let name = fields[position].name
    let type = LogicalType.structure(fields)
    return ResolvedScalar(
      function: ScalarFunction(
        "struct_extract(\(name.isEmpty ? "#\(position + 1)" : name))", category: "struct",
        summary: "a field of a STRUCT", examples: [], overloads: [overload]),
      overload: overload, argumentTypes: [type], resultType: fields[position].type)
  }

  /// The overload that reads a field by its position from 0; more arguments are not looked at.
  static func extracting(_ position: Int, of fields: [Field]) -> ScalarOverload {
    ScalarOverload(
      [.any], variadic: .any, returns: fields[position].type, nulls: .custom
    ) { arguments, count, result in
      let flat = arguments[0].flattened()
      let child = flat.children[position]
      if flat.validity == nil { return child }
      var builder = ColumnBuilder(result, capacity: count)
      builder.append(child)
      return builder.finish().withNulls(of: flat)
    }
  }
}
