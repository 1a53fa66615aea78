import Columnar

/// A source that can be read again from its start, on one worker: what a recursion does with its
/// step's operators, instead of building them anew for each round.
protocol RewindableSource: BatchSource {
  /// False when it cannot: then new operators are built.
  func rewind() -> Bool
}

/// Rewinds any source that knows how.
func rewind(_ source: any BatchSource) -> Bool {
  guard let rewindable = source as? any RewindableSource else { return false }
  return rewindable.rewind()
}
