import Columnar
import Diagnostics

/// A function of list elements that is written as an expression: `list_transform(l, lambda x: …)` and
/// its kin. What the body reads from outside comes in through `captures`, so that only those and the
/// list are its operands: rules rewrite them and never look inside the body.
package struct ListLambda: Sendable {
  package enum Form: Sendable {
    /// The body's value of each element for which the condition, if any, is true.
    case transform(condition: Expression?)
    /// The body folds the elements, left to right, from `initial` or the first.
    case reduce(accumulator: ColumnReference, initial: Expression?)
  }
  package var form: Form
  package var list: Expression
  package var element: ColumnReference
  /// The element's position from 1, where a parameter asks for it.
  package var index: ColumnReference?
  package var captures: [(expression: Expression, reference: ColumnReference)]
  package var body: Expression
  package var type: LogicalType
  package var span: SourceSpan?

  package var operands: [Expression] {
    var all = [list] + captures.map(\.expression)
    if case .reduce(_, let initial?) = form { all.append(initial) }
    return all
  }

  package func mapOperands(_ transform: (Expression) throws -> Expression) rethrows -> ListLambda {
    var copy = self
    copy.list = try transform(list)
    copy.captures = try captures.map { (try transform($0.expression), $0.reference) }
    if case .reduce(let accumulator, let initial?) = form {
      copy.form = .reduce(accumulator: accumulator, initial: try transform(initial))
    }
    return copy
  }

  /// The expressions over elements.
  package var inner: [Expression] {
    if case .transform(let condition?) = form { return [condition, body] }
    return [body]
  }
}

extension ListLambda: Equatable {
  /// The same up to the names of what is inside.
  package static func == (a: ListLambda, b: ListLambda) -> Bool {
    guard a.list == b.list, a.type == b.type, a.captures.count == b.captures.count,
      zip(a.captures, b.captures).allSatisfy({ $0.expression == $1.expression }),
      (a.index == nil) == (b.index == nil)
    else { return false }
    var renamed: [Int: Expression] = [b.element.id: .column(a.element)]
    if let x = a.index, let y = b.index { renamed[y.id] = .column(x) }
    for (x, y) in zip(a.captures, b.captures) { renamed[y.reference.id] = .column(x.reference) }
    switch (a.form, b.form) {
    case (.transform(let x), .transform(let y)):
      if x != y?.substituting(renamed) { return false }
    case (.reduce(let x, let s), .reduce(let y, let t)):
      if s != t { return false }
      renamed[y.id] = .column(x)
    case (.transform, _), (.reduce, _): return false
    }
    return a.body == b.body.substituting(renamed)
  }
}
