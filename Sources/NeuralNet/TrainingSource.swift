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

/// A set in memory; shuffling moves row numbers, not rows.
final class MemorySource: TrainingSource {
  let set: TrainingSet
  /// Empty until the first shuffle.
  private var order = UnsafeMutableBufferPointer<UInt32>(start: nil, count: 0)
  private var isShuffled = false
  private var position = 0

  init(_ set: TrainingSet) {
    self.set = set
  }

  deinit { order.deallocate() }

  var layout: TrainingLayout { self.set.layout }
  var rows: Int { self.set.rows }
  var preferredRows: Int { Int.max }

  func begin(_ wanted: TrainingOrder) throws {
    position = 0
    switch wanted {
    case .natural: isShuffled = false
    case .shuffled(let seed, let epoch):
      isShuffled = true
      shuffle(CounterRandom(seed, 0x5F1E, UInt64(truncatingIfNeeded: epoch)))
    }
  }

  func next(rows count: Int) throws -> TrainingPiece {
    defer { position += count }
    return TrainingPiece(
      set, first: position, count: count,
      order: isShuffled ? order.baseAddress.map { UnsafePointer($0) } : nil)
  }

  /// Fisher and Yates; starts from the identity, so an epoch's order does not depend on the epochs
  /// before.
  private func shuffle(_ random: CounterRandom) {
    if order.isEmpty {
      order = .allocate(capacity: set.rows)
      order.initialize(repeating: 0)
    }
    for i in 0..<order.count { order[i] = UInt32(truncatingIfNeeded: i) }
    var i = order.count - 1
    while i > 0 {
      order.swapAt(i, random.index(UInt64(i), below: i + 1))
      i -= 1
    }
  }

  func classCounts(target: Int) throws -> [Int] { set.classCounts(target: target) }
}
