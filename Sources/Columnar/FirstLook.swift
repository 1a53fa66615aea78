/// A look at a few columns of rows that a scan is about to give, before the others are decoded. A scan
/// may leave out the rows for which it says that none is wanted; whoever asked looks again at those
/// that it gives.
package struct FirstLook {
  /// The columns it is shown, by place among the scan's, ascending.
  package let columns: [Int]
  /// Whether any of these rows, of which a batch has those columns, may be wanted.
  package let mayPass: (Batch) throws -> Bool

  package init(columns: [Int], mayPass: @escaping (Batch) throws -> Bool) {
    self.columns = columns
    self.mayPass = mayPass
  }
}
