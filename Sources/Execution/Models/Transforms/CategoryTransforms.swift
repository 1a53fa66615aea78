import Columnar
import Diagnostics
import Functions

// What the transforms of categories share.
extension FittedTransform {
  /// A function of one column of any type, by the text of its values: an id per distinct text.
  /// `id` gives nil for NULL.
  static func ids(
    cardinality: Int, isOpen: Bool = false, _ id: @escaping @Sendable (String) throws -> Int32?
  ) -> FittedTransform {
    FittedTransform(
      overloads: [
        ScalarOverload([.any], returns: .integer) { arguments, count, _ in
          let texts = try DistinctTexts(arguments[0], count)
          let ids = try texts.texts.map { try $0.flatMap(id) }
          let result = Column(flat: .integer, count: count)
          let target = result.values(as: Int32.self)
          for row in 0..<count {
            if let id = ids[Int(texts.groups[row])] {
              target[row] = id
            } else {
              target[row] = 0
              result.setNull(row)
            }
          }
          return result
        }
      ], cardinality: cardinality, isOpen: isOpen)
  }

  /// The same, as a vector with a 1 in the id's place.
  static func oneHot(
    width: Int, isOpen: Bool, _ id: @escaping @Sendable (String) throws -> Int32?
  ) -> FittedTransform {
    FittedTransform(
      overloads: [
        ScalarOverload([.any], returns: .array(.float, count: width)) { arguments, count, type in
          let texts = try DistinctTexts(arguments[0], count)
          let ids = try texts.texts.map { try $0.flatMap(id) }
          let elements = Column(flat: .float, count: count * width)
          let target = elements.values(as: Float.self)
          target.update(repeating: 0, count: count * width)
          let result = Column(flat: type, count: count, children: [elements])
          for row in 0..<count {
            if let id = ids[Int(texts.groups[row])] {
              target[row * width + Int(id)] = 1
            } else {
              result.setNull(row)
            }
          }
          return result
        }
      ], isOpen: isOpen)
  }

  /// The id of a text, by the rule for what training did not see.
  static func lookUp(_ vocabulary: Vocabulary, _ arguments: TransformArguments)
    -> @Sendable (String) throws -> Int32?
  {
    let rule = arguments.unseen
    let function = arguments.function
    return { text in
      if let id = vocabulary.id(text) { return id }
      switch rule {
      case .other: return 0
      case .null: return nil
      case .error:
        throw SQLError(
          .invalidInput, "\(function): '\(text)' was not among the training rows",
          hint: "on_unseen = 'other' gives it the id of <other>")
      }
    }
  }

  /// The words of a fit whose query gave the words in its first column; nil before the fit.
  static func words(_ state: ModelJSON?) throws -> [String]? {
    guard let state else { return nil }
    guard let words = state.items?.first?.texts else { throw damagedFit() }
    return words
  }

  /// The numbers of a fit by aggregates: nil where there were no rows, and before the fit.
  static func numbers(_ state: ModelJSON?, _ count: Int) throws -> [Double?] {
    guard let state else { return Array(repeating: nil, count: count) }
    guard let items = state.items, items.count == count else { throw damagedFit() }
    return items.map(\.number)
  }

  static func damagedFit() -> SQLError {
    SQLError(.model, "what this model's TRANSFORM found in training is damaged")
  }
}
