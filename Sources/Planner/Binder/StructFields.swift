import Columnar
import Diagnostics
import Functions

/// Making and reading STRUCT values: their signatures depend on field names, so they are built
/// here and not found in a table.
enum StructFields {
  static func pack(names: [String], types: [LogicalType]) -> ResolvedScalar {
    let type = LogicalType.structure(zip(names, types).map { Field($0, $1) })
    let overload = ScalarOverload([], variadic: .any, returns: type, nulls: .custom) {
      arguments, count, type in
      let children = arguments.map { $0.flattened() }
      return Column(flat: type, count: count, children: children)
    }
    return ResolvedScalar(
      function: ScalarFunction(
        "struct_pack(\(names.joined(separator: ",")))", category: "struct",
        summary: "a STRUCT of its arguments", examples: [], overloads: [overload]),
      overload: overload, argumentTypes: types, resultType: type)
  }

  /// `name` must be a field of `type`.
  static func extract(_ name: String, from type: LogicalType) -> ResolvedScalar {
    guard case .structure(let fields) = type,
      let position = fields.firstIndex(where: { $0.name.lowercased() == name.lowercased() })
    else { preconditionFailure("the binder checked that \(type) has the field \(name)") }
    let overload = ScalarOverload([.any], returns: fields[position].type, nulls: .custom) {
      arguments, count, result in
      let flat = arguments[0].flattened()
      let child = flat.children[position]
      if flat.validity == nil { return child }
      var builder = ColumnBuilder(result, capacity: count)
      builder.append(child)
      let field = builder.finish().withNulls(of: flat)
      return field
    }
    return ResolvedScalar(
      function: ScalarFunction(
        "struct_extract(\(fields[position].name))", category: "struct",
        summary: "a field of a STRUCT", examples: [], overloads: [overload]),
      overload: overload, argumentTypes: [type], resultType: fields[position].type)
  }
}
