import Columnar

/// A file whose records are read in ranges of bytes, by several workers.
protocol RangedFile: Sendable {
  var rangeCount: Int { get }
  /// The bytes of the records that begin in range `index`; empty when there are none.
  func range(_ index: Int) -> Range<Int>
}

/// A scan of files in ranges; a partition is a range of one file.
struct RangedScan<File: RangedFile>: PartitionedScan {
  let files: [File]
  /// The reader of a file's range, with the partition's number.
  let reader: @Sendable (File, Range<Int>, Int) throws -> any BatchSource

  var partitionCount: Int { files.reduce(0) { $0 + $1.rangeCount } }

  func open(_ partition: Int) throws -> (any BatchSource)? {
    var index = partition
    for file in files {
      if index < file.rangeCount {
        let range = file.range(index)
        return range.isEmpty ? nil : try reader(file, range, partition)
      }
      index -= file.rangeCount
    }
    return nil
  }
}

/// Names that differ only in case, or not at all, get a number, as in DuckDB.
func withUniqueNames(_ fields: [Field]) -> [Field] {
  var taken: Set<String> = []
  return fields.map { field in
    var name = field.name
    var number = 0
    while !taken.insert(name.lowercased()).inserted {
      number += 1
      name = "\(field.name)_\(number)"
    }
    return Field(name, field.type)
  }
}
