import Diagnostics

/// How an epoch's rows come.
package enum TrainingOrder: Hashable, Sendable {
  /// As they were given.
  case natural
  /// Shuffled; the same seed and epoch give the same order.
  case shuffled(seed: UInt64, epoch: Int)
}

/// Rows to train or validate on, pass by pass: what a trainer pulls its batches from. A set in memory
/// is one; a shuffle that spills is another.
package protocol TrainingSource: AnyObject {
  /// What a row is; the same in all pieces.
  var layout: TrainingLayout { get }
  /// Rows of a pass.
  var rows: Int { get }
  /// The most rows of a piece that the source would rather give at a time; a batch is asked for as
  /// one piece all the same, unless it is 'full'.
  var preferredRows: Int { get }
  /// Starts a pass.
  func begin(_ order: TrainingOrder) throws
  /// The next rows, as many as asked for; the trainer never asks for more than are left. The piece
  /// is valid until the next call.
  func next(rows: Int) throws -> TrainingPiece
  /// How many rows each class of a target has, for 'balanced' weights.
  func classCounts(target: Int) throws -> [Int]
}

/// Rows first ..< first + count of `order` (nil: of the set itself).
package struct TrainingPiece {
  package var set: TrainingSet
  package var first: Int
  package var count: Int
  /// SAFETY: belongs to the source, valid as long as the piece.
  package var order: UnsafePointer<UInt32>?

  package init(
    _ set: TrainingSet, first: Int, count: Int, order: UnsafePointer<UInt32>? = nil
  ) {
    self.set = set
    self.first = first
    self.count = count
    self.order = order
  }
}
