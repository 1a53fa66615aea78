import Columnar
import Diagnostics

// How the tables write signatures: rules from an actual argument type to the type to cast it to.

/// From an argument's type to the type the state wants; nil when the argument does not fit.
typealias ArgumentRule = @Sendable (LogicalType) -> LogicalType?

/// Any type as it is.
let asItIs: ArgumentRule = { $0 }

let asBoolean: ArgumentRule = { $0 == .boolean || $0 == .null ? .boolean : nil }

/// Numbers as DOUBLE.
let asDouble: ArgumentRule = { $0.isNumeric || $0 == .null ? .double : nil }

/// Integers as they are; a bare NULL is an INTEGER.
let asInteger: ArgumentRule = { $0.isInteger ? $0 : $0 == .null ? .integer : nil }

/// What can be summed: UHUGEINT only as DOUBLE, for its sums fit no integer.
let asSummand: ArgumentRule = { type in
  switch type {
  case .null: .integer
  case .boolean: .utinyint
  case .uhugeint: .double
  default: type.isNumeric ? type : nil
  }
}

/// As `asSummand`, without BOOLEAN.
let asAveraged: ArgumentRule = { $0 == .boolean ? nil : asSummand($0) }

/// Moments, times and intervals; a date is its midnight.
let asMoment: ArgumentRule = { type in
  switch type {
  case .time, .timeTZ, .timestamp, .timestampTZ, .interval: type
  default: type.isTemporal ? .timestamp : nil
  }
}

let asDecimal: ArgumentRule = { type in
  if type.isDecimal { return type }
  if type == .null { return .decimal(precision: 18, scale: 3) }
  return type.isInteger
    ? .decimal(precision: ImplicitCast.digits(of: type), scale: 0) : nil
}

let asText: ArgumentRule = { _ in .varchar }

/// The q of a quantile: DOUBLE, or a list of them.
let asFraction: ArgumentRule = { type in
  switch type {
  case .list(let item), .array(let item, _): asDouble(item).map { .list($0) }
  default: asDouble(type)
  }
}

/// What a continuous quantile interpolates between.
let asInterpolated: ArgumentRule = { type in
  switch type {
  case .null: .double
  case .float, .double, .decimal, .time, .timeTZ, .timestamp, .timestampTZ,
    .timestampNanoseconds:
    type
  case .date, .timestampSeconds, .timestampMilliseconds: .timestamp
  default: type.isInteger ? .double : nil
  }
}

/// A signature by rules, one an argument.
func signature(
  _ rules: ArgumentRule..., result: @escaping @Sendable ([LogicalType]) -> LogicalType,
  state: @escaping @Sendable ([LogicalType], LogicalType) throws -> any AggregateState
) -> AggregateOverload {
  let rules = rules
  return AggregateOverload(
    rules.map { _ in .any }, resultFrom: { result($0) },
    coerce: { types in
      var cast: [LogicalType] = []
      for (type, rule) in zip(types, rules) {
        guard let target = rule(type) else {
          throw SQLError(.binder, "an argument of type \(type) does not fit")
        }
        cast.append(target)
      }
      return cast
    }, makeState: state)
}

/// A visitor whose work is a state for a type.
struct StateMaker<Maker: StateMaking>: StateValueVisitor {
  let maker: Maker
  @inline(__always)
  func visit<T: StateValue>(_ type: T.Type) -> any AggregateState { maker.make(T.self) }
}

protocol StateMaking {
  func make<T: StateValue>(_ type: T.Type) -> any AggregateState
}

/// The state for a type; nested types and what is compared like them are kept as bytes.
@inline(__always)
func makeState(_ type: LogicalType, _ maker: some StateMaking) -> any AggregateState {
  withStateValue(type.isNested ? .string : type.physical, StateMaker(maker: maker))
}
