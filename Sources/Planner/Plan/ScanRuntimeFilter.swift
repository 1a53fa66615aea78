/// What other operators tell a scan while they run: by it partitions and rows are left out.
package struct ScanRuntimeFilter: Sendable {
  package enum Kind: Hashable, Sendable {
    /// The keys of a join's build side: rows with another one meet nobody.
    case keys
    /// How far a Top-N has come: rows behind its last one are not wanted.
    case boundary(descending: Bool, nullsFirst: Bool)
  }

  package var column: ColumnReference
  /// What the one who tells knows it by.
  package var number: Int
  package var kind: Kind
}
