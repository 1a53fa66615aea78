import Columnar

/// Reads one column chunk from front to back, some rows at a time, as columns.
final class ParquetChunkReader {
  private let leaf: ParquetLeaf
  private let chunk: ParquetColumnChunk
  private let pages: ParquetPageReader
  private var dictionary: ParquetDictionary?
  private var page: ParquetPage
  /// Entries of the pages not opened yet.
  private var entriesLeft: Int

  /// The rows of a leaf below lists or structs, with what is needed to put them together again.
  struct Entries {
    var count = 0
    /// Nil when the leaf's maximum is 0.
    var definitions: UnsafeMutablePointer<UInt8>?
    var repetitions: UnsafeMutablePointer<UInt8>?
    var owners: [Buffer] = []
    var slots: Column
  }

  init(file: ParquetFile, leaf: ParquetLeaf, chunk: ParquetColumnChunk, rowCount: Int) throws {
    self.leaf = leaf
    self.chunk = chunk
    if chunk.isEncrypted { throw ParquetDamage("the column is encrypted", code: .notSupported) }
    if chunk.isElsewhere {
      throw ParquetDamage("the column lies in another file", code: .notSupported)
    }
    guard chunk.physicalType == leaf.physicalType.rawValue else {
      throw ParquetDamage("the type of the column chunk is not that of the schema")
    }
    guard leaf.maxRepetition > 0 || chunk.valueCount == rowCount else {
      throw ParquetDamage.tooFewValues
    }
    guard leaf.maxDefinition < 128 else {
      throw ParquetDamage("the column is nested too deeply", code: .notSupported)
    }
    pages = try ParquetPageReader(file: file, chunk: chunk)
    entriesLeft = chunk.valueCount
    page = try ParquetPage(empty: UnsafeRawPointer(Self.nothing.pointer))
  }

  private static let nothing = Buffer(byteCount: pageSlack)

  /// Opens the next page that has entries; gives how many entries of whole pages were skipped
  /// instead, at most `skip`.
  private func nextPage(skip: Int = 0) throws -> Int {
    var skipped = 0
    while true {
      guard entriesLeft > 0 else { throw ParquetDamage.tooFewValues }
      let header = try pages.nextHeader(skipping: skip - skipped > 0)
      switch header.kind {
      case .index: pages.skipBody(header)
      case .dictionary: try readDictionary(header)
      case .data, .dataV2:
        guard header.valueCount <= entriesLeft else {
          throw ParquetDamage("it holds more values than its metadata say")
        }
        entriesLeft -= header.valueCount
        if header.valueCount == 0 {
          pages.skipBody(header)
        } else if header.valueCount <= skip - skipped {
          pages.skipBody(header)
          skipped += header.valueCount
          if skipped == skip { return skipped }
        } else {
          page = try ParquetPage(header, pages.body(header), leaf: leaf)
          return skipped
        }
      }
    }
  }

  private func readDictionary(_ header: ParquetPageHeader) throws {
    guard dictionary == nil else { throw ParquetDamage("it has two dictionaries") }
    let body = try pages.body(header)
    let values = try ParquetValues(
      plain: body.data, available: body.dataCount, count: header.valueCount, leaf: leaf,
      owner: body.owner)
    let isNullFree =
      leaf.maxDefinition == leaf.slotDefinition
      || (leaf.isFlat && chunk.statistics.nullCount == 0)
    dictionary = try ParquetDictionary(
      values, leaf: leaf, slots: chunk.valueCount, mayHaveNulls: !isNullFree)
  }

  // MARK: Columns without lists or structs

  /// Skips rows, whole pages without decompressing them. Only without lists.
  func skip(_ rows: Int) throws {
    var left = rows
    while left > 0 {
      let inPage = page.slotCount - page.slotPosition
      if inPage == 0 {
        left -= try nextPage(skip: left)
        continue
      }
      let take = min(left, inPage)
      var discarded = ParquetSlots(leaf.type, capacity: take)
      try discarded.append(take, of: &page, dictionary: dictionary)
      page.entryPosition += take
      left -= take
    }
  }

  /// The next rows as a column.
  func read(_ rows: Int) throws -> Column {
    if page.slotPosition == page.slotCount { _ = try nextPage() }
    if let column = wholeFromPage(rows) { return column }
    var slots = ParquetSlots(leaf.type, capacity: rows)
    while slots.count < rows {
      if page.slotPosition == page.slotCount { _ = try nextPage() }
      let take = min(rows - slots.count, page.slotCount - page.slotPosition)
      try slots.append(take, of: &page, dictionary: dictionary)
    }
    return slots.finish(dictionary)
  }

  /// The rows where they lie, without a copy, if they all lie in the page and have no NULLs.
  private func wholeFromPage(_ rows: Int) -> Column? {
    guard case .values(let values) = page.form, page.validity == nil,
      rows <= page.slotCount - page.slotPosition
    else { return nil }
    let width = leaf.type.physical.width
    let start = values.pointer + page.valuePosition * width
    guard UInt(bitPattern: start) & UInt(min(width, 16) - 1) == 0 else { return nil }
    page.slotPosition += rows
    page.valuePosition += rows
    return Column(type: leaf.type, count: rows, data: start, owners: values.owners)
  }

  // MARK: Columns below lists or structs

  /// The next rows with their levels.
  func readEntries(_ rows: Int) throws -> Entries {
    var slots = ParquetSlots(leaf.type, capacity: rows)
    var result = Entries(slots: Column(flat: leaf.type, count: 0))
    var definitions: [UInt8] = []
    var repetitions: [UInt8] = []
    var started = 0
    while true {
      if page.entryPosition == page.entryCount {
        if entriesLeft == 0 { break }
        // Without lists rows end with entries, and no look at the next page is needed.
        if started == rows && leaf.maxRepetition == 0 { break }
        _ = try nextPage()
      }
      let first = page.entryPosition
      var end = first
      if let levels = page.repetitions {
        while end < page.entryCount {
          if levels[end] == 0 {
            if started == rows { break }
            started += 1
          } else if started == 0 {
            throw ParquetDamage.badLevels
          }
          end += 1
        }
        repetitions.append(
          contentsOf: UnsafeBufferPointer(start: levels + first, count: end - first))
      } else {
        end = min(page.entryCount, first + rows - started)
        started += end - first
      }
      var taken = end - first
      if let levels = page.definitions {
        definitions.append(
          contentsOf: UnsafeBufferPointer(start: levels + first, count: end - first))
        let least = UInt8(leaf.slotDefinition)
        taken = 0
        for entry in first..<end where levels[entry] >= least { taken += 1 }
      } else if leaf.maxDefinition > 0 {
        // A page without NULLs, or one whose validity says it all.
        for slot in 0..<taken {
          let isThere = page.validity.map { Validity.isValid($0, page.slotPosition + slot) } ?? true
          definitions.append(isThere ? 1 : 0)
        }
      }
      page.entryPosition = end
      try slots.append(taken, of: &page, dictionary: dictionary)
      result.count += end - first
      if end < page.entryCount { break }
    }
    guard started == rows else { throw ParquetDamage.tooFewValues }
    result.slots = slots.finish(dictionary)
    if leaf.maxDefinition > 0 { result.definitions = keep(definitions, &result.owners) }
    if leaf.maxRepetition > 0 { result.repetitions = keep(repetitions, &result.owners) }
    return result
  }

  private func keep(_ levels: [UInt8], _ owners: inout [Buffer]) -> UnsafeMutablePointer<UInt8> {
    let buffer = Buffer(byteCount: levels.count)
    levels.withUnsafeBytes { raw in
      if let start = raw.baseAddress {
        buffer.pointer.copyMemory(from: start, byteCount: raw.count)
      }
    }
    owners.append(buffer)
    return buffer.pointer.assumingMemoryBound(to: UInt8.self)
  }
}
