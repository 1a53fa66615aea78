import Columnar
import Diagnostics

extension HashJoinOperator {
  /// Consumes the build side together with the other workers. Phases, a barrier after each:
  /// collect; copy into one store; pack or hash the keys of a share of the rows; insert a partition.
  /// False when the rows did not fit and lie on disk.
  func build() throws -> Bool {
    let query = worker.query
    var collector = RowCollector(layout.stored.map { buildTypes[$0] })
    let canSpill = canSpill
    while let batch = try buildInput.next() {
      try query.checkCancelled()
      guard let kept = newKeys(batch) else { continue }
      let columns = layout.stored.map { kept.columns[$0] }
      if buildPartitioner != nil {
        try spill(Batch(columns: columns, rowCount: kept.rowCount))
        continue
      }
      collector.append(columns, rowCount: kept.rowCount)
      if !canSpill {
        try memory.hold(collector.byteCount)
      } else if !memory.holdOrSpill(
        bytesInMemory(collector), share: 0.5 / Double(worker.count))
      {
        try beginSpilling(&collector)
      }
    }
    if try canSpill && finishSpilling(&collector) { return false }
    try layout.assembly.deposit(&collector, worker: worker.index)
    try shared.barrier.wait(query)
    layout.assembly.copyPart(worker: worker.index)
    try shared.barrier.wait(query)

    let rows = layout.assembly.rowCount
    if rows > 0 && !buildKeys.isEmpty && !usesIndex {
      try prepareKeys(rows)
    } else {
      shared.report(
        worker: worker.index, ranges: buildKeys.map { _ in nil },
        histogram: Array(repeating: 0, count: layout.partitions), nullKeys: false)
    }
    try shared.barrier.wait(query)
    shared.prepareTable(layout, rowCount: rows)
    let table = shared.table
    // A join that could have spilled has counted the table in advance.
    if worker.index == 0 && !canSpill { try memory.hold(memory.bytes + shared.byteCount) }
    if let table { insert(table) }
    if usesIndex && rows > 0 { try makeIndex(rows) }
    publishKeys()
    try shared.barrier.wait(query)
    shared.finishBuild()
    // Nobody may go on (and mark matches, say) before all have seen the finished state.
    if worker.count > 1 { try shared.barrier.wait(query) }
    buildRows = rows
    buildColumns = layout.assembly.columns.map { $0.view() }
    adopt(table)
    return true
  }

  /// Each filter is made by one of the workers.
  private func publishKeys() {
    for (number, wanted) in runtimeFilters.enumerated()
    where number % worker.count == worker.index && wanted.key < shared.buildKeyRange.count {
      wanted.filter.publish(
        layout.assembly.columns[layout.keys[wanted.key]], range: shared.buildKeyRange[wanted.key])
    }
  }

  /// One worker sorts: what follows, the probing, is where the time goes.
  private func makeIndex(_ rows: Int) throws {
    // Probe rows walk along the index, also where it gives them one row only.
    shared.reportUnique(worker: worker.index, false)
    if worker.index > 0 { return }
    let columns = layout.assembly.columns
    let index = try OrderedIndex(
      keys: layout.keys.map { columns[$0] }, nullSafe: nullSafe,
      ranges: layout.ranges.map { columns[$0] }, operators: ranges.map(\.operator),
      isAsof: layout.isAsof, rowCount: rows, query: worker.query)
    shared.index = index
    try memory.hold(memory.bytes + index.byteCount)
  }

  /// Packs or hashes the keys of this worker's share, and reports what they are like.
  private func prepareKeys(_ rows: Int) throws {
    let keyColumns = layout.keys.map { layout.assembly.columns[$0] }
    let mayBeNull = KeyNulls.mayOccur(keyColumns, nullSafe: layout.holdsNulls)
    shared.prepareHashes(rows: rows, withValidity: mayBeNull)
    guard let buffer = shared.hashes else { return }
    let words = buffer.pointer.assumingMemoryBound(to: UInt64.self)
    // Shares start at multiples of 64 rows: validity words belong to one worker.
    let blocks = (rows + 63) / 64
    let start = min(rows, blocks * worker.index / worker.count * 64)
    let end = min(rows, blocks * (worker.index + 1) / worker.count * 64)
    var nullKeys = false
    var ranges: [ClosedRange<Int128>?] = buildKeys.map { _ in nil }
    var histogram = Array(repeating: 0, count: layout.partitions)
    if start < end {
      let share = keyColumns.map { $0.slice(start, end - start) }
      if let valid = shared.keyValidity {
        for word in start / 64..<(end + 63) / 64 { valid[word] = .max }
        KeyNulls.forEach(share, nullSafe: layout.holdsNulls, rows: end - start) { row in
          Validity.setNull(valid, start + row)
          nullKeys = !layout.linksNulls
        }
      }
      if let packed = layout.packed {
        packed.pack(share, rows: end - start, into: words + start)
      } else {
        for (key, column) in share.enumerated() {
          Hashing.hash(column, into: words + start, combining: key > 0)
        }
      }
      for key in share.indices { ranges[key] = KeyRange.of(share[key]) }
      count(words, start..<end, &histogram)
    }
    shared.report(
      worker: worker.index, ranges: ranges, histogram: histogram, nullKeys: nullKeys)
  }

  private func count(
    _ words: UnsafePointer<UInt64>, _ rows: Range<Int>, _ histogram: inout [Int]
  ) {
    if layout.partitions == 1 {
      histogram[0] = rows.count
      return
    }
    let shift = JoinTable.partitionShift(layout.partitions)
    let isPacked = layout.packed != nil
    histogram.withUnsafeMutableBufferPointer { histogram in
      for row in rows {
        let hash = isPacked ? Hashing.hash(words[row]) : words[row]
        histogram[Int(truncatingIfNeeded: hash >> shift)] += 1
      }
    }
  }

  private func insert(_ table: JoinTable) {
    guard let buffer = shared.hashes else { return }
    let words = buffer.pointer.assumingMemoryBound(to: UInt64.self)
    let valid = shared.keyValidity.map { UnsafePointer($0) }
    var unique = true
    if worker.index == 0, layout.linksNulls, let valid {
      (shared.nullHead, unique) = table.linkNulls(valid)
    }
    switch table.strategy {
    case .direct:
      if !table.insertDirect(words, valid: valid, part: worker.index, parts: worker.count) {
        unique = false
      }
    case .packed:
      for partition in stride(from: worker.index, to: layout.partitions, by: worker.count) {
        if !table.insertPacked(words, valid: valid, partition: partition) { unique = false }
      }
    case .general:
      let keys = layout.keys.map { layout.assembly.columns[$0] }
      let matcher = KeyMatcher(probe: keys, build: keys, nullSafe: nullSafe)
      for partition in stride(from: worker.index, to: layout.partitions, by: worker.count)
      where !table.insertGeneral(words, valid: valid, partition: partition, matcher: matcher) {
        unique = false
      }
    }
    shared.reportUnique(worker: worker.index, unique)
  }
}

/// The smallest and largest value of an integer-like column.
enum KeyRange {
  static func of(_ column: Column) -> ClosedRange<Int128>? {
    switch column.type.physical {
    case .bool, .uint8: range(column, UInt8.self)
    case .int8: range(column, Int8.self)
    case .int16: range(column, Int16.self)
    case .int32: range(column, Int32.self)
    case .int64: range(column, Int64.self)
    case .uint16: range(column, UInt16.self)
    case .uint32: range(column, UInt32.self)
    case .uint64: range(column, UInt64.self)
    case .int128, .uint128, .float, .double, .string, .interval, .list, .array, .structure: nil
    }
  }

  @inline(__always)
  private static func range<T: FixedWidthInteger & BitwiseCopyable>(
    _ column: Column, _ type: T.Type
  ) -> ClosedRange<Int128>? {
    let reader = ColumnReader<T>(column)
    var low = T.max
    var high = T.min
    var found = false
    if reader.validity == nil {
      found = column.count > 0
      for row in 0..<column.count {
        let value = reader[row]
        low = min(low, value)
        high = max(high, value)
      }
    } else {
      for row in 0..<column.count where !reader.isNull(row) {
        let value = reader[row]
        low = min(low, value)
        high = max(high, value)
        found = true
      }
    }
    return found ? Int128(low)...Int128(high) : nil
  }
}
