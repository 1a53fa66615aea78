import Diagnostics
import Synchronization

/// The bytes that one statement holds in buffers, string blocks and aggregate states of 1 MiB and more.
/// Smaller ones are not counted: operators report those in steps, and an atomic addition each would
/// cost.
package final class LargeMemory: Sendable {
  package static let least = 1 << 20
  /// Of all statements together.
  private static let everywhere = Atomic<Int>(0)
  private let bytes = Atomic<Int>(0)

  package var held: Int { bytes.load(ordering: .relaxed) }

  /// Counts bytes that were allocated for the statement that runs here, and gives who is to be told
  /// when they are free; nil for few bytes, and outside of statements.
  @inline(__always)
  package static func take(_ count: Int) -> LargeMemory? {
    count < least ? nil : takeMany(count)
  }

  @inline(never)
  private static func takeMany(_ count: Int) -> LargeMemory? {
    guard let statement = SessionTime.current.memory.held else { return nil }
    statement.bytes.wrappingAdd(count, ordering: .relaxed)
    everywhere.wrappingAdd(count, ordering: .relaxed)
    return statement
  }

  package func give(_ count: Int) {
    bytes.wrappingSubtract(count, ordering: .relaxed)
    LargeMemory.everywhere.wrappingSubtract(count, ordering: .relaxed)
  }

  fileprivate static var areFewEverywhere: Bool {
    everywhere.load(ordering: .relaxed) < MemoryAllowance.small
  }
}

/// What the statement that runs here may allocate. Operators reserve what they keep; one value of
/// a kernel (`repeat`, `range`, a list of a hundred million) can be larger than all of that, so
/// kernels that make more than they are given ask here before they allocate.
package struct MemoryAllowance: Sendable {
  private let limit: Int
  /// By the statement, since it began; nil where there is none.
  fileprivate let held: LargeMemory?

  package static let unlimited = MemoryAllowance()

  private init() { (limit, held) = (.max, nil) }

  package init(limit: Int) {
    self.limit = limit
    held = LargeMemory()
  }

  private var own: Int { held?.held ?? 0 }

  /// What may still be allocated; never negative.
  package var left: Int {
    if limit == .max { return .max }
    let (rest, overflows) = limit.subtractingReportingOverflow(own)
    return overflows ? .max : max(0, rest)
  }

  /// `.outOfMemory` when `more` bytes (0: what is held) are too much.
  package func check(_ more: Int) throws {
    if limit == .max { return }
    let own = own
    let (total, overflows) = own.addingReportingOverflow(more)
    if overflows || total > limit { throw MemoryAllowance.tooMuch(more, own, limit) }
  }

  /// The same for the statement that runs here. Below 16 MiB nobody is refused.
  package static func check(_ more: Int) throws {
    if more < small && LargeMemory.areFewEverywhere { return }
    let memory = SessionTime.current.memory
    if more < small && memory.own < small { return }
    try memory.check(more)
  }

  fileprivate static let small = 16 << 20

  private static func tooMuch(_ more: Int, _ own: Int, _ limit: Int) -> SQLError {
    SQLError(
      .outOfMemory,
      "the values of one step need \(more >> 20) MiB more, but \(max(0, own) >> 20) of "
        + "\(limit >> 20) MiB are in use",
      hint: "raise the limit with SET memory_limit = '…'")
  }
}

extension Column {
  /// About how many bytes the elements of this column's lists take: what a function over them
  /// makes anew. Lists in lists are counted as a whole, and only where they are few: the rows of a
  /// batch may be a small part of what their column refers to.
  package var elementBytes: Int {
    if count > 1 << 16 { return 0 }
    guard type.physical == .list, let child = children.first else {
      return children.reduce(0) { $0.saturatingAdd($1.elementBytes) }
    }
    let entries = ColumnReader<ListEntry>(self)
    var elements = 0
    for row in 0..<(isConstant ? min(1, count) : count) where !entries.isNull(row) {
      elements = elements.saturatingAdd(entries[row].length)
    }
    let width = max(child.type.physical.width, 1)
    let (own, overflows) = elements.multipliedReportingOverflow(by: width)
    return overflows ? .max : own.saturatingAdd(child.elementBytes)
  }
}

extension Column {
  /// About how many bytes a copy of all rows takes beside their fixed width: strings and elements,
  /// a constant's for every row. Counted for strings and lists; 0 for all else.
  package var copiedBytes: Int {
    switch type.physical {
    case .string:
      let reader = ColumnReader<StringView>(self)
      var total = 0
      for row in 0..<count { total &+= Int(reader[row].length) }
      return total
    case .list:
      let (total, overflows) = elementBytes.multipliedReportingOverflow(by: isConstant ? count : 1)
      return overflows ? 1 << 60 : min(total, 1 << 60)
    default: return 0
    }
  }
}

extension Int {
  fileprivate func saturatingAdd(_ other: Int) -> Int {
    let (sum, overflows) = addingReportingOverflow(other)
    return overflows ? .max : sum
  }
}
