import Columnar
import Diagnostics

/// An aggregate function: one row of its table, as `ScalarFunction`.
package struct AggregateFunction: Sendable {
  package let name: String
  package let aliases: [String]
  package let summary: String
  /// A query's select expression over `(VALUES (1), (2), (3), (NULL)) t(x)` and its result.
  package let examples: [(sql: String, result: String)]
  package let overloads: [AggregateOverload]
  /// How results over parts of the rows make the result over all; nil when they do not.
  package let parts: AggregateParts?

  package init(
    _ name: String, aliases: [String] = [], summary: String,
    examples: [(sql: String, result: String)], overloads: [AggregateOverload],
    parts: AggregateParts? = nil
  ) {
    self.name = name
    self.aliases = aliases
    self.summary = summary
    self.examples = examples
    self.overloads = overloads
    self.parts = parts
  }
}

/// How an aggregate over rows is put together from aggregates over parts of them. A part without
/// values gives NULL or a count of 0; the order of the parts does not matter.
package struct AggregateParts: Sendable {
  /// Aggregates of the same arguments over each part, by name.
  package let steps: [String]
  /// The aggregate over the parts that takes the steps' results.
  package let combination: @Sendable () -> AggregateFunction?
}

/// One signature of an aggregate and the maker of its states.
package struct AggregateOverload: Sendable {
  package let parameters: [TypePattern]
  package let variadic: TypePattern?
  package let result: @Sendable ([LogicalType]) throws -> LogicalType
  package let coerce: (@Sendable ([LogicalType]) throws -> [LogicalType])?
  /// States for any number of groups, all in one object, for these (cast) argument types.
  package let makeState:
    @Sendable (_ arguments: [LogicalType], _ result: LogicalType) throws -> any AggregateState

  package init(
    _ parameters: [TypePattern], variadic: TypePattern? = nil,
    resultFrom result: @escaping @Sendable ([LogicalType]) throws -> LogicalType,
    coerce: (@Sendable ([LogicalType]) throws -> [LogicalType])? = nil,
    makeState: @escaping @Sendable ([LogicalType], LogicalType) throws -> any AggregateState
  ) {
    self.parameters = parameters
    self.variadic = variadic
    self.result = result
    self.coerce = coerce
    self.makeState = makeState
  }
}

/// The states of one aggregate for groups 0 ..< n: columns indexed by dense group id. Used by one
/// thread at a time; threads' states are merged afterwards.
package protocol AggregateState: AnyObject {
  /// Makes room for `count` groups; new ones are empty. Never shrinks.
  func resize(groups count: Int)
  /// Adds each row's arguments to its group.
  func update(_ arguments: [Column], groups: UnsafePointer<UInt32>, count: Int) throws
  /// Adds all rows to group 0: the ungrouped case.
  func update(_ arguments: [Column], count: Int) throws
  /// Adds groups `source[i]` of `other` (made by the same overload) to groups `target[i]` of this.
  func merge(
    _ other: any AggregateState, source: UnsafePointer<UInt32>, target: UnsafePointer<UInt32>,
    count: Int) throws
  /// Results of groups `first ..< first + count`.
  func finish(first: Int, count: Int) throws -> Column
  /// The same of another aggregate, as `ResolvedAggregate.result(ofStatesOf:)` allows it.
  func finish(_ result: SummedResult, first: Int, count: Int) throws -> Column
  var byteCount: Int { get }
}

extension AggregateState {
  package func finish(_ result: SummedResult, first: Int, count: Int) throws -> Column {
    try finish(first: first, count: count)
  }
}

/// An aggregate overload chosen for actual argument types.
package struct ResolvedAggregate: Sendable {
  package let function: AggregateFunction
  package let overload: AggregateOverload
  package let argumentTypes: [LogicalType]
  package let resultType: LogicalType

  package init(
    function: AggregateFunction, overload: AggregateOverload, argumentTypes: [LogicalType],
    resultType: LogicalType
  ) {
    self.function = function
    self.overload = overload
    self.argumentTypes = argumentTypes
    self.resultType = resultType
  }
}
