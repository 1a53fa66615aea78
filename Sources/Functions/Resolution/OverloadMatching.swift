import Columnar
import Diagnostics

/// Whether argument types fit the parameters of an overload, at what price, and as what types;
/// shared by scalar and aggregate functions.
package enum OverloadMatching {
  /// Nil when the arguments do not fit. A `coerce` closure may throw to say why not.
  package static func match(
    parameters: [TypePattern], variadic: TypePattern?,
    coerce: (([LogicalType]) throws -> [LogicalType])?, arguments: [LogicalType],
    literals: [ArgumentLiteral]
  ) throws -> (cost: Int, types: [LogicalType])? {
    guard
      arguments.count == parameters.count
        || (variadic != nil && arguments.count > parameters.count)
    else { return nil }
    if let coerce { return try coerced(coerce, arguments, literals) }

    func literal(_ position: Int) -> ArgumentLiteral {
      position < literals.count ? literals[position] : .none
    }
    var total = 0
    var types: [LogicalType] = []
    var shared: [Int] = []
    for (position, type) in arguments.enumerated() {
      let pattern =
        position < parameters.count ? parameters[position] : variadic ?? .any
      switch pattern {
      case .exactly(let wanted):
        guard let cost = ImplicitCast.cost(from: type, literal: literal(position), to: wanted)
        else { return nil }
        total += cost
        types.append(wanted)
      case .any:
        total += 1
        types.append(type)
      case .common:
        shared.append(position)
        types.append(type)
      case .anyInteger:
        guard let taken = kind(type, literal(position), \.isInteger, orElse: .bigint) else {
          return nil
        }
        total += taken == type ? 0 : 40
        types.append(taken)
      case .anyNumeric:
        guard let taken = kind(type, literal(position), \.isNumeric, orElse: .double) else {
          return nil
        }
        total += taken == type ? 0 : 40
        types.append(taken)
      case .anyDecimal:
        if type.isDecimal {
          types.append(type)
        } else if type == .null {
          types.append(.decimal(precision: 18, scale: 3))
          total += 40
        } else {
          return nil
        }
      case .anyList:
        switch type {
        case .list: types.append(type)
        case .array(let element, _):
          types.append(.list(element))
          total += 2
        case .null:
          types.append(.list(.null))
          total += 40
        default: return nil
        }
      case .anyMap:
        switch type {
        case .map: types.append(type)
        case .null:
          types.append(.map(key: .null, value: .null))
          total += 30
        default: return nil
        }
      }
    }
    if !shared.isEmpty {
      guard
        let common = ImplicitCast.commonType(
          shared.map { arguments[$0] }, literals: shared.map(literal))
      else { return nil }
      for position in shared {
        if types[position] != common { total += 1 }
        types[position] = common
      }
    }
    return (total, types)
  }

  /// String literals come as VARCHAR first, then as NULL, which adapts to the other arguments.
  private static func coerced(
    _ coerce: ([LogicalType]) throws -> [LogicalType], _ arguments: [LogicalType],
    _ literals: [ArgumentLiteral]
  ) throws -> (cost: Int, types: [LogicalType]) {
    var adapted = arguments
    // An integer literal takes the other side's integer type when it fits: tinyint + 1.
    for (position, literal) in literals.enumerated() where position < arguments.count {
      guard case .integer(let value) = literal, arguments[position].isInteger else { continue }
      for (other, type) in arguments.enumerated() where other != position && type.isInteger {
        if other < literals.count, case .integer = literals[other] { continue }
        if ImplicitCast.fits(value, type) { adapted[position] = type }
      }
    }
    do {
      let types = try coerce(adapted)
      return (price(adapted, types), types)
    } catch {
      guard literals.contains(.string) else { throw error }
      for (position, literal) in literals.enumerated() where position < adapted.count {
        if literal == .string { adapted[position] = .null }
      }
      let types = try coerce(adapted)
      return (price(adapted, types) + 50, types)
    }
  }

  private static func price(_ from: [LogicalType], _ to: [LogicalType]) -> Int {
    var total = 0
    for (a, b) in zip(from, to) { total += ImplicitCast.cost(from: a, to: b) ?? 5 }
    return total
  }

  private static func kind(
    _ type: LogicalType, _ literal: ArgumentLiteral, _ belongs: (LogicalType) -> Bool,
    orElse fallback: LogicalType
  ) -> LogicalType? {
    if belongs(type) { return type }
    return type == .null || literal == .string ? fallback : nil
  }
}
