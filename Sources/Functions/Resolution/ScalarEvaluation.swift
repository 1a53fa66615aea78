import Columnar
import Diagnostics

/// How the executor calls a scalar function on columns: once per batch where once is enough, once
/// per distinct value where a dictionary says which those are.
package enum ScalarEvaluation {
  /// `count` rows of the function's result. Arguments have the resolved types and `count` rows.
  package static func call(
    _ resolved: ResolvedScalar, _ arguments: [Column], count: Int
  ) throws -> Column {
    let overload = resolved.overload
    let type = resolved.resultType
    if overload.isVolatile { return try overload.kernel(arguments, count, type) }
    if overload.nullRule == .propagates, arguments.contains(where: { $0.isConstantNull }) {
      return Column.nulls(type, count: count)
    }
    if count == 0 { return Column.nulls(type, count: 0) }
    for argument in arguments where !argument.children.isEmpty {
      // What is made of lists is about as large as they are; cuts of them may be smaller.
      let bytes = argument.elementBytes
      if bytes >= 1 << 24 { try MemoryAllowance.check(bytes) }
    }
    var variable: Int?
    var variables = 0
    for (position, argument) in arguments.enumerated() where !argument.isConstant {
      variable = position
      variables += 1
    }
    guard let variable else {
      if count == 1 { return try overload.kernel(arguments, 1, type) }
      let one = try overload.kernel(arguments.map { $0.slice(0, 1) }, 1, type)
      return Column(repeating: one, count: count)
    }
    // The bases may hold values that no row refers to, and these may be out of domain.
    if let bases = commonBases(arguments, count),
      let values = try? overload.kernel(bases.columns, bases.count, type)
    {
      return rewrapped(values, as: arguments[variable])
    }
    if variables == 1, distinctBase(arguments[variable], count) != nil {
      var flat = arguments
      flat[variable] = arguments[variable].flattened()
      return try overload.kernel(flat, count, type)
    }
    return try overload.kernel(arguments, count, type)
  }

  /// The base of a dictionary that is worth being computed on: one that holds few values, or a
  /// selection of most of its rows, whose flat loop is cheaper than picking the rows first.
  static func distinctBase(_ column: Column, _ count: Int) -> Column? {
    guard column.encoding == .dictionary, let base = column.base,
      base.count <= count + count / 4, base.count > 0
    else { return nil }
    return base
  }

  /// The bases that all arguments refer to by the same rows, and constants as long as these.
  private static func commonBases(
    _ arguments: [Column], _ count: Int
  ) -> (columns: [Column], count: Int)? {
    var indices: UnsafeMutablePointer<UInt32>?
    var size = 0
    for argument in arguments where !argument.isConstant {
      guard let base = distinctBase(argument, count), indices == nil || argument.indices == indices,
        size == 0 || base.count == size
      else { return nil }
      indices = argument.indices
      size = base.count
    }
    if size == 0 { return nil }
    let columns = arguments.map { $0.isConstant ? resized($0, size) : $0.base ?? $0 }
    return (columns, size)
  }

  /// The same constant for another number of rows.
  static func resized(_ constant: Column, _ count: Int) -> Column {
    constant.count == count ? constant : Column(constant: constant, count: count)
  }

  /// `values`, one per value of the dictionary's base, as the dictionary refers to them.
  static func rewrapped(_ values: Column, as dictionary: Column) -> Column {
    guard values.encoding == .flat, let indices = dictionary.indices else {
      if values.isConstant { return Column(repeating: values, count: dictionary.count) }
      let flat = values.flattened()
      return flat.encoding == .flat ? rewrapped(flat, as: dictionary) : flat
    }
    return Column(
      type: values.type, count: dictionary.count, encoding: .dictionary, data: values.data,
      validity: values.validity, indices: indices, base: values, children: values.children,
      owner: dictionary)
  }
}
