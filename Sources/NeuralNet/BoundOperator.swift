/// An operator at work in one executor. A call of `any LayerOperator` copies its box, whose count all
/// threads would then change at once.
class BoundOperator {
  func forward(_ run: LayerRun) {}
  func backward(_ run: LayerRun) {}
}

private final class TypedOperator<Operator: LayerOperator>: BoundOperator {
  private let operation: Operator

  init(_ operation: Operator) { self.operation = operation }

  override func forward(_ run: LayerRun) { operation.forward(run) }
  override func backward(_ run: LayerRun) { operation.backward(run) }
}

extension LayerOperator {
  /// With its type known.
  var bound: BoundOperator { TypedOperator(self) }
}
