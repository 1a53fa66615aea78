import Columnar
import Diagnostics
import Functions

/// A column as one node of the plan gives it and others refer to it: the id is unique within a
/// statement, so rules can move nodes without renumbering.
package struct ColumnReference: Hashable, Sendable {
  package let id: Int
  package let name: String
  package let type: LogicalType

  package init(id: Int, name: String, type: LogicalType) {
    self.id = id
    self.name = name
    self.type = type
  }

  package static func == (a: ColumnReference, b: ColumnReference) -> Bool { a.id == b.id }
  package func hash(into hasher: inout Hasher) { hasher.combine(id) }
}

/// A bound expression: names resolved, types known, casts explicit.
package indirect enum Expression: Sendable {
  case column(ColumnReference)
  case constant(Value, LogicalType)
  case call(CallExpression)
  /// With `isTry` and the operand's own type it is TRY: NULL where the operand fails.
  case cast(Expression, to: LogicalType, isTry: Bool)
  case and([Expression])
  case or([Expression])
  case not(Expression)
  case isNull(Expression, isNegated: Bool)
  case caseWhen(CaseWhen)
  /// `operand IN (constants…)`, all of the operand's type.
  case inList(InListExpression)
  case predict(PredictExpression)
  case listLambda(ListLambda)

  package var type: LogicalType {
    switch self {
    case .column(let reference): reference.type
    case .constant(_, let type): type
    case .call(let call): call.resolved.resultType
    case .cast(_, let type, _): type
    case .and, .or, .not, .isNull, .inList: .boolean
    case .caseWhen(let branches): branches.type
    case .predict(let predict): predict.type
    case .listLambda(let lambda): lambda.type
    }
  }
}

/// A call of a scalar function with arguments already of its parameter types.
package struct CallExpression: Sendable {
  package var resolved: ResolvedScalar
  package var arguments: [Expression]
  /// Where it was written, for errors found while running.
  package var span: SourceSpan?

  package init(resolved: ResolvedScalar, arguments: [Expression], span: SourceSpan? = nil) {
    self.resolved = resolved
    self.arguments = arguments
    self.span = span
  }
}

package struct CaseWhen: Sendable {
  package var branches: [(condition: Expression, result: Expression)]
  package var otherwise: Expression?
  package var type: LogicalType
}

package struct InListExpression: Sendable {
  package var operand: Expression
  package var values: [Value]
  package var isNegated: Bool
}

/// What PREDICT reads of a model: planned as a node of its own (`PredictNode`) by a rule.
package struct PredictExpression: Sendable {
  package enum Form: Hashable, Sendable {
    /// What the output stands for: numbers, or a class; of two classes the second from the
    /// threshold on, where one is given.
    case value(output: Int, threshold: Float?)
    /// The probability of one class, by its position.
    case probability(output: Int, classIndex: Int)
    /// All classes' probabilities as FLOAT[].
    case probabilities(output: Int)
    /// All classes' probabilities as MAP(VARCHAR, FLOAT), by the classes' texts.
    case probabilityMap(output: Int)
    /// How what the output gives changes with a feature, by its position; of a class its
    /// probability.
    case gradient(output: Int, feature: Int)

    package var output: Int {
      switch self {
      case .value(let output, _), .probability(let output, _), .probabilities(let output),
        .probabilityMap(let output), .gradient(let output, _):
        output
      }
    }

    package var isGradient: Bool { if case .gradient = self { true } else { false } }
  }
  package var model: any ModelDescription
  package var form: Form
  /// One per feature of the model, in its order and of its types, then one per key.
  package var arguments: [Expression]
  package var type: LogicalType
}

/// What the planner must know of a model. Execution's models conform.
package protocol ModelDescription: AnyObject, Sendable {
  var name: String { get }
  var inputs: [Field] { get }
  var outputs: [Field] { get }
  /// The classes of each output as text; empty where it is a number.
  var classNames: [[String]] { get }
  var featureNames: [String] { get }
  /// What tells the networks of one model apart, where TRAIN … FOR EACH made one for each key.
  var keys: [Field] { get }
  /// What enters the network for these values of the inputs.
  func features(of inputs: [Expression]) -> [Expression]
  /// For each feature, then each key, whether one of these outputs hangs on it.
  func readsFeatures(_ outputs: [Int]) -> [Bool]
  /// `v3`, for EXPLAIN.
  var versionLabel: String { get }
  /// What a row costs for these outputs, and the size of the weights: for EXPLAIN.
  func cost(of outputs: [Int]) -> String
  var isTrained: Bool { get }
  /// The same model, but that a key without a network gives NULL where that would be an error.
  var takingUnseenKeys: any ModelDescription { get }
}

extension Expression {
  /// The direct operands.
  package var children: [Expression] {
    switch self {
    case .column, .constant: []
    case .call(let call): call.arguments
    case .cast(let operand, _, _), .not(let operand), .isNull(let operand, _): [operand]
    case .and(let terms), .or(let terms): terms
    case .caseWhen(let branches):
      branches.branches.flatMap { [$0.condition, $0.result] }
        + (branches.otherwise.map { [$0] } ?? [])
    case .inList(let list): [list.operand]
    case .predict(let predict): predict.arguments
    case .listLambda(let lambda): lambda.operands
    }
  }

  /// The same form with each direct operand replaced.
  package func mapChildren(_ transform: (Expression) throws -> Expression) rethrows -> Expression {
    switch self {
    case .column, .constant: return self
    case .call(var call):
      call.arguments = try call.arguments.map(transform)
      return .call(call)
    case .cast(let operand, let type, let isTry):
      return .cast(try transform(operand), to: type, isTry: isTry)
    case .and(let terms): return .and(try terms.map(transform))
    case .or(let terms): return .or(try terms.map(transform))
    case .not(let operand): return .not(try transform(operand))
    case .isNull(let operand, let isNegated):
      return .isNull(try transform(operand), isNegated: isNegated)
    case .caseWhen(var branches):
      branches.branches = try branches.branches.map {
        (try transform($0.condition), try transform($0.result))
      }
      branches.otherwise = try branches.otherwise.map(transform)
      return .caseWhen(branches)
    case .inList(var list):
      list.operand = try transform(list.operand)
      return .inList(list)
    case .predict(var predict):
      predict.arguments = try predict.arguments.map(transform)
      return .predict(predict)
    case .listLambda(let lambda): return .listLambda(try lambda.mapOperands(transform))
    }
  }

  /// Bottom-up rewriting.
  package func rewritten(_ transform: (Expression) throws -> Expression) rethrows -> Expression {
    try transform(try mapChildren { try $0.rewritten(transform) })
  }

  /// Whether operands are nested more than so many levels deep; goes no deeper itself.
  package func isDeeper(than levels: Int) -> Bool {
    levels == 0 || children.contains { $0.isDeeper(than: levels - 1) }
  }

  package func contains(where predicate: (Expression) -> Bool) -> Bool {
    if predicate(self) || children.contains(where: { $0.contains(where: predicate) }) {
      return true
    }
    if case .listLambda(let lambda) = self {
      return lambda.inner.contains { $0.contains(where: predicate) }
    }
    return false
  }

  /// Ids of all columns it reads.
  package var columnIDs: Set<Int> {
    var found: Set<Int> = []
    collectColumns(&found)
    return found
  }

  package func collectColumns(_ found: inout Set<Int>) {
    if case .column(let reference) = self {
      found.insert(reference.id)
    } else {
      for child in children { child.collectColumns(&found) }
    }
  }

  package func substituting(_ replacements: [Int: Expression]) -> Expression {
    rewritten {
      if case .column(let reference) = $0, let replacement = replacements[reference.id] {
        return replacement
      }
      return $0
    }
  }

  /// Whether it may give different values for equal inputs.
  package var isVolatile: Bool {
    contains {
      if case .call(let call) = $0 { return call.resolved.overload.isVolatile }
      return false
    }
  }

  package var containsPredict: Bool {
    contains { if case .predict = $0 { true } else { false } }
  }

  /// The conjuncts of an AND, or itself alone.
  package var conjuncts: [Expression] {
    if case .and(let terms) = self { return terms.flatMap(\.conjuncts) }
    return [self]
  }

  /// One condition from several; nil from none.
  package static func conjunction(_ terms: [Expression]) -> Expression? {
    terms.isEmpty ? nil : terms.count == 1 ? terms[0] : .and(terms)
  }

  package static let trueConstant = Expression.constant(.boolean(true), .boolean)
}

extension Expression: Equatable {
  /// Structural equality: the same operation over the same operands. Volatile calls are equal to
  /// nothing, not even themselves.
  package static func == (a: Expression, b: Expression) -> Bool {
    switch (a, b) {
    case (.column(let x), .column(let y)): return x.id == y.id
    case (.constant(let x, let s), .constant(let y, let t)): return s == t && x == y
    case (.call(let x), .call(let y)):
      return x.resolved.function.name == y.resolved.function.name
        && x.resolved.argumentTypes == y.resolved.argumentTypes
        && x.resolved.resultType == y.resolved.resultType && !x.resolved.overload.isVolatile
        && x.arguments == y.arguments
    case (.cast(let x, let s, let t), .cast(let y, let u, let v)):
      return s == u && t == v && x == y
    case (.and(let x), .and(let y)), (.or(let x), .or(let y)): return x == y
    case (.not(let x), .not(let y)): return x == y
    case (.isNull(let x, let s), .isNull(let y, let t)): return s == t && x == y
    case (.caseWhen(let x), .caseWhen(let y)):
      return x.type == y.type && x.otherwise == y.otherwise
        && x.branches.count == y.branches.count
        && zip(x.branches, y.branches).allSatisfy {
          $0.condition == $1.condition && $0.result == $1.result
        }
    case (.inList(let x), .inList(let y)):
      return x.isNegated == y.isNegated && x.values == y.values && x.operand == y.operand
    case (.predict(let x), .predict(let y)):
      return x.model === y.model && x.form == y.form && x.arguments == y.arguments
    case (.listLambda(let x), .listLambda(let y)): return x == y
    case (.column, _), (.constant, _), (.call, _), (.cast, _), (.and, _), (.or, _), (.not, _),
      (.isNull, _), (.caseWhen, _), (.inList, _), (.predict, _), (.listLambda, _):
      return false
    }
  }
}
