import Columnar

/// A state of a generic class behind closures that call its specialised methods.
///
/// Swift fills the witness tables of a generic class with unspecialised code, 20 to 50 times slower
/// in these loops. Where the concrete type is known, though, its methods are specialised, and the
/// closures made there keep them.
final class SpecialisedState: AggregateState {
  private let inner: any AggregateState
  private let resizeGroups: (Int) -> Void
  private let updateGroups: ([Column], UnsafePointer<UInt32>, Int) throws -> Void
  private let updateAll: ([Column], Int) throws -> Void
  private let mergeGroups:
    (any AggregateState, UnsafePointer<UInt32>, UnsafePointer<UInt32>, Int) throws -> Void
  private let finishGroups: (Int, Int) throws -> Column
  private let finishResult: (SummedResult, Int, Int) throws -> Column

  @inline(__always)
  init<State: AggregateState>(_ state: State) {
    inner = state
    resizeGroups = { state.resize(groups: $0) }
    updateGroups = { try state.update($0, groups: $1, count: $2) }
    updateAll = { try state.update($0, count: $1) }
    mergeGroups = { try state.merge($0, source: $1, target: $2, count: $3) }
    finishGroups = { try state.finish(first: $0, count: $1) }
    finishResult = { try state.finish($0, first: $1, count: $2) }
  }

  var byteCount: Int { inner.byteCount }

  func resize(groups count: Int) { resizeGroups(count) }

  func update(_ arguments: [Column], groups: UnsafePointer<UInt32>, count: Int) throws {
    try updateGroups(arguments, groups, count)
  }

  func update(_ arguments: [Column], count: Int) throws { try updateAll(arguments, count) }

  func merge(
    _ other: any AggregateState, source: UnsafePointer<UInt32>, target: UnsafePointer<UInt32>,
    count: Int
  ) throws {
    try mergeGroups(sameState(other, as: SpecialisedState.self).inner, source, target, count)
  }

  func finish(first: Int, count: Int) throws -> Column { try finishGroups(first, count) }

  func finish(_ result: SummedResult, first: Int, count: Int) throws -> Column {
    try finishResult(result, first, count)
  }
}
