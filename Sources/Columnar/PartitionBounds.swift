/// Roughly between what the values of a column lie in one partition of a scan: a guess by which to
/// choose what to read first, never for results.
package struct PartitionBounds: Sendable {
  /// In the order of a column's values.
  package enum Bound: Comparable, Sendable {
    case number(Double)
    /// Compared byte by byte: texts, and what is stored in the order of its bytes.
    case bytes([UInt8])

    package static func < (a: Bound, b: Bound) -> Bool {
      switch (a, b) {
      case (.number(let x), .number(let y)): x < y
      case (.bytes(let x), .bytes(let y)): x.lexicographicallyPrecedes(y)
      case (.number, .bytes): true
      case (.bytes, .number): false
      }
    }
  }

  package let low: Bound
  /// nil when there is none: the values go on.
  package let high: Bound?

  package init(_ low: Bound, _ high: Bound?) {
    self.low = low
    self.high = high
  }
}
