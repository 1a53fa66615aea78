import Columnar

/// Something that batches are written to, as COPY … TO does: a file in some format.
package protocol FileWriter: AnyObject {
  /// Appends the rows of a batch.
  func write(_ batch: Batch) throws
  /// Completes the file and gives the number of rows written.
  func finish() throws -> Int
  /// Leaves nothing behind; may follow any failure.
  func abort()
}
