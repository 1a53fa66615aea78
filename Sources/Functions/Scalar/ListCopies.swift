import Columnar

/// What INTERSECT ALL and EXCEPT ALL unnest to repeat rows: no function that SQL can name.
package enum ListCopies {
  /// A list of `n` elements that nobody reads (none for NULL and below); all lists are cuts of one.
  package static let resolved: ResolvedScalar = {
    let type = LogicalType.list(.tinyint)
    let overload = ScalarOverload([.exactly(.bigint)], returns: type, nulls: .custom) {
      arguments, count, type in
      let counts = ColumnReader<Int64>(arguments[0])
      let result = Column(flat: type, count: count)
      let entries = result.values(as: ListEntry.self)
      var longest = 0
      for row in 0..<count {
        let copies = counts.isNull(row) ? 0 : max(0, Int(counts[row]))
        entries[row] = ListEntry(offset: 0, length: copies)
        longest = max(longest, copies)
      }
      let elements = Column(flat: .tinyint, count: longest)
      elements.data.initializeMemory(as: UInt8.self, repeating: 0, count: longest)
      result.replaceChildren([elements])
      return withExtendedLifetime(arguments) { result }
    }
    return ResolvedScalar(
      function: ScalarFunction(
        "copies", category: "list", summary: "a list of n elements", examples: [],
        overloads: [overload]),
      overload: overload, argumentTypes: [.bigint], resultType: type)
  }()
}
