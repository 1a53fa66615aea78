extension Dictionary {
  /// Of pairs with equal keys the first counts: plans may pass one column on twice.
  init(firstOf pairs: some Sequence<(Key, Value)>) {
    self.init(pairs, uniquingKeysWith: { first, _ in first })
  }
}
