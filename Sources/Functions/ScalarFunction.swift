import Columnar
import Diagnostics

/// What a parameter of an overload accepts. Overload resolution picks the overload with the
/// cheapest implicit casts; `any…` patterns take the argument as it is.
package enum TypePattern: Sendable {
  /// This type; arguments are cast to it implicitly where the lattice allows.
  case exactly(LogicalType)
  case any
  case anyInteger
  case anyNumeric
  /// DECIMAL of any precision and scale.
  case anyDecimal
  /// LIST of anything; arrays are cast to lists.
  case anyList
  /// MAP of anything.
  case anyMap
  /// The common type of all arguments that are marked so in this overload (coalesce, greatest…).
  case common
}

/// A scalar function: one row of the table that the binder, `.help`, completion, "did you mean", the
/// reference pages and the example tests read.
package struct ScalarFunction: Sendable {
  package let name: String
  package let aliases: [String]
  package let category: String
  package let summary: String
  /// An expression and what it gives as text, run by a test: `("abs(-3)", "3")`.
  package let examples: [(sql: String, result: String)]
  package let overloads: [ScalarOverload]
  /// When set, asked before the overloads: a signature that hangs on constants or names among the
  /// arguments (the field that struct_extract reads, the aggregate that list_aggregate runs). Nil
  /// leaves the choice to the overloads.
  package let signature: SignatureRule?
  /// What `signature` takes, for the catalog and the reference: a rule cannot be read off.
  package let forms: [FunctionForm]

  package typealias SignatureRule =
    @Sendable ([CallArgument]) throws -> (overload: ScalarOverload, types: [LogicalType])?

  package init(
    _ name: String, aliases: [String] = [], category: String, summary: String,
    examples: [(sql: String, result: String)], overloads: [ScalarOverload] = [],
    forms: [FunctionForm] = [], signature: SignatureRule? = nil
  ) {
    self.signature = signature
    self.forms = forms
    self.name = name
    self.aliases = aliases
    self.category = category
    self.summary = summary
    self.examples = examples
    self.overloads = overloads
  }
}

/// An argument as a signature rule sees it.
package struct CallArgument: Sendable {
  package let type: LogicalType
  /// Of a constant.
  package let value: Value?
  /// As in `name := value`.
  package let name: String?

  package init(_ type: LogicalType, value: Value? = nil, name: String? = nil) {
    self.type = type
    self.value = value
    self.name = name
  }

  /// The text of a string constant.
  package var text: String? {
    if case .varchar(let text) = value { text } else { nil }
  }
}

/// One signature of a scalar function and its kernel.
package struct ScalarOverload: Sendable {
  /// How NULL arguments are treated.
  package enum NullRule: Sendable {
    /// A NULL argument gives NULL. The kernel must mark such rows NULL itself (helpers in
    /// `Kernels` do); it is never called with a constant NULL argument.
    case propagates
    /// The kernel sees NULLs and decides.
    case custom
  }

  /// Computes `count` rows from argument columns of any encoding and exactly the parameter types;
  /// the result has `count` rows of the result type. Throws `SQLError` for values out of domain.
  package typealias Kernel =
    @Sendable (_ arguments: [Column], _ count: Int, _ result: LogicalType) throws -> Column

  package let parameters: [TypePattern]
  /// The pattern of further arguments (zero or more).
  package let variadic: TypePattern?
  /// The result type from the (cast) argument types. Throws `.binder` when they make no sense.
  package let result: @Sendable ([LogicalType]) throws -> LogicalType
  /// When set, replaces parameter matching: from the actual argument types (and values of constant
  /// arguments, for a few functions whose type depends on them) the types to cast the arguments to.
  package let coerce: (@Sendable ([LogicalType]) throws -> [LogicalType])?
  /// When set, the result type where literals among the arguments decide it: round(x, 2).
  package let resultFromLiterals:
    (@Sendable ([LogicalType], [ArgumentLiteral]) throws -> LogicalType)?
  package let nullRule: NullRule
  /// May give different results for equal arguments (random, now): never folded or shared.
  package let isVolatile: Bool
  package let kernel: Kernel

  package init(
    _ parameters: [TypePattern], variadic: TypePattern? = nil, returns result: LogicalType,
    nulls: NullRule = .propagates, isVolatile: Bool = false, kernel: @escaping Kernel
  ) {
    self.init(
      parameters, variadic: variadic, resultFrom: { _ in result }, nulls: nulls,
      isVolatile: isVolatile, kernel: kernel)
  }

  package init(
    _ parameters: [TypePattern], variadic: TypePattern? = nil,
    resultFrom result: @escaping @Sendable ([LogicalType]) throws -> LogicalType,
    resultFromLiterals: (
      @Sendable ([LogicalType], [ArgumentLiteral]) throws -> LogicalType
    )? = nil,
    coerce: (@Sendable ([LogicalType]) throws -> [LogicalType])? = nil,
    nulls: NullRule = .propagates, isVolatile: Bool = false, kernel: @escaping Kernel
  ) {
    self.resultFromLiterals = resultFromLiterals
    self.parameters = parameters
    self.variadic = variadic
    self.result = result
    self.coerce = coerce
    self.nullRule = nulls
    self.isVolatile = isVolatile
    self.kernel = kernel
  }
}

/// An overload chosen for actual argument types.
package struct ResolvedScalar: Sendable {
  package let function: ScalarFunction
  package let overload: ScalarOverload
  /// Cast each argument to these first.
  package let argumentTypes: [LogicalType]
  package let resultType: LogicalType

  package init(
    function: ScalarFunction, overload: ScalarOverload, argumentTypes: [LogicalType],
    resultType: LogicalType
  ) {
    self.function = function
    self.overload = overload
    self.argumentTypes = argumentTypes
    self.resultType = resultType
  }
}
