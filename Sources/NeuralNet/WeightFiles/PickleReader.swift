import Diagnostics

/// What a pickle of tensors is made of.
indirect enum PickleValue {
  case none
  case boolean(Bool)
  case integer(Int)
  case number(Double)
  case text(String)
  case tuple([PickleValue])
  case list(PickleBox)
  case dictionary(PickleBox)
  /// A class or function by its full name: one of those allowed.
  case global(String)
  /// Bytes beside the pickle: their type, the entry's name, how many values.
  case storage(type: String, key: String, count: Int)
  case tensor(PickleTensor)

  var integer: Int? {
    if case .integer(let value) = self { value } else { nil }
  }
  var text: String? {
    if case .text(let value) = self { value } else { nil }
  }
  var integers: [Int]? {
    guard case .tuple(let items) = self else { return nil }
    let values = items.compactMap(\.integer)
    return values.count == items.count ? values : nil
  }
}

/// A view of a storage.
struct PickleTensor {
  var type: String
  var key: String
  var storageCount: Int
  var offset: Int
  var shape: [Int]
  var strides: [Int]
}

/// A list or dictionary that the pickle goes on filling after it was remembered.
final class PickleBox {
  var items: [PickleValue] = []
  var entries: [(key: PickleValue, value: PickleValue)] = []
}

/// Reads a pickle of tensors and plain values. It is data here: nothing in it is called or executed,
/// and any class but those of tensors is refused. Python's pickletools.py, protocols 2 to 5.
struct PickleReader {
  private var reader: ByteReader
  private var stack: [PickleValue] = []
  private var marks: [Int] = []
  private var memo: [Int: PickleValue] = [:]

  static let storages = [
    "torch.FloatStorage": "F32", "torch.DoubleStorage": "F64", "torch.HalfStorage": "F16",
    "torch.BFloat16Storage": "BF16", "torch.LongStorage": "I64", "torch.IntStorage": "I32",
    "torch.ByteStorage": "U8", "torch.BoolStorage": "U8",
  ]
  private static let rebuildTensor = "torch._utils._rebuild_tensor_v2"
  private static let rebuildParameter = "torch._utils._rebuild_parameter"
  private static let orderedDictionary = "collections.OrderedDict"

  /// The value of a whole pickle.
  static func read(_ bytes: ArraySlice<UInt8>) throws -> PickleValue {
    var pickle = PickleReader(reader: ByteReader(Array(bytes)))
    return try pickle.run()
  }

  private mutating func run() throws -> PickleValue {
    while let code = reader.byte() {
      if code == UInt8(ascii: ".") { return try pop() }
      try perform(code)
    }
    throw ZipArchive.malformed("its pickle has no end")
  }

  private mutating func perform(_ code: UInt8) throws {
    switch code {
    case 0x80: _ = try need(reader.byte())
    case 0x95: _ = try need(reader.take(8))
    case UInt8(ascii: "N"): stack.append(.none)
    case 0x88: stack.append(.boolean(true))
    case 0x89: stack.append(.boolean(false))
    case UInt8(ascii: "K"): stack.append(.integer(Int(try need(reader.byte()))))
    case UInt8(ascii: "M"): stack.append(.integer(try need(reader.count(2))))
    case UInt8(ascii: "J"):
      stack.append(
        .integer(Int(Int32(truncatingIfNeeded: try need(reader.integer(4))))))
    case 0x8a: try readLong()
    case UInt8(ascii: "G"):
      let bits = try need(reader.take(8)).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
      stack.append(.number(Double(bitPattern: bits)))
    case UInt8(ascii: "X"): try readText(sizeBytes: 4)
    case 0x8c: try readText(sizeBytes: 1)
    case UInt8(ascii: "q"): memo[Int(try need(reader.byte()))] = try top()
    case UInt8(ascii: "r"): memo[try need(reader.count(4))] = try top()
    case 0x94: memo[memo.count] = try top()
    case UInt8(ascii: "h"): stack.append(try need(memo[Int(try need(reader.byte()))]))
    case UInt8(ascii: "j"): stack.append(try need(memo[try need(reader.count(4))]))
    case UInt8(ascii: "("): marks.append(stack.count)
    case UInt8(ascii: ")"): stack.append(.tuple([]))
    case UInt8(ascii: "]"): stack.append(.list(PickleBox()))
    case UInt8(ascii: "}"): stack.append(.dictionary(PickleBox()))
    case UInt8(ascii: "t"): stack.append(.tuple(try popToMark()))
    case 0x85, 0x86, 0x87:
      let items = try pop(Int(code) - 0x84)
      stack.append(.tuple(items))
    case UInt8(ascii: "a"):
      let item = try pop()
      try append([item])
    case UInt8(ascii: "e"):
      let items = try popToMark()
      try append(items)
    case UInt8(ascii: "s"):
      let pair = try pop(2)
      try set(pair)
    case UInt8(ascii: "u"):
      let items = try popToMark()
      try set(items)
    case UInt8(ascii: "b"): _ = try pop()
    case UInt8(ascii: "0"): _ = try pop()
    case UInt8(ascii: "c"):
      let module = String(decoding: try need(reader.take(until: 10)), as: UTF8.self)
      let name = String(decoding: try need(reader.take(until: 10)), as: UTF8.self)
      try push(global: "\(module).\(name)")
    case 0x93:
      let parts = try pop(2)
      try push(global: "\(parts[0].text ?? "?").\(parts[1].text ?? "?")")
    case UInt8(ascii: "Q"): try readStorage()
    case UInt8(ascii: "R"): try reduce()
    default:
      throw ZipArchive.malformed("its pickle has the operation \(code), which tensors do not need")
    }
  }

  // MARK: Values

  private mutating func readLong() throws {
    let size = Int(try need(reader.byte()))
    guard size <= 8 else { throw ZipArchive.malformed("a number in it is too large") }
    let raw = try need(reader.integer(size))
    // Two's complement of so many bytes.
    let shift = UInt64(64 - size * 8)
    stack.append(.integer(size == 0 ? 0 : Int(Int64(bitPattern: raw << shift) >> Int64(shift))))
  }

  private mutating func readText(sizeBytes: Int) throws {
    let size = try need(reader.count(sizeBytes))
    stack.append(.text(String(decoding: try need(reader.take(size)), as: UTF8.self)))
  }

  private mutating func push(global name: String) throws {
    let allowed =
      Self.storages[name] != nil
      || [Self.rebuildTensor, Self.rebuildParameter, Self.orderedDictionary].contains(name)
    guard allowed else {
      throw SQLError(
        .model, "the file holds an object of \(name): only tensors by name are read",
        hint: "in Python: torch.save(model.state_dict(), 'weights.pth')")
    }
    stack.append(.global(name))
  }

  /// `('storage', FloatStorage, '0', 'cpu', 12)`.
  private mutating func readStorage() throws {
    guard case .tuple(let items) = try pop(), items.count == 5, items[0].text == "storage",
      case .global(let name) = items[1], let type = Self.storages[name], let key = items[2].text,
      let count = items[4].integer, count >= 0
    else { throw ZipArchive.malformed("it refers to something that is no storage") }
    stack.append(.storage(type: type, key: key, count: count))
  }

  private mutating func reduce() throws {
    let parts = try pop(2)
    guard case .global(let name) = parts[0], case .tuple(let arguments) = parts[1] else {
      throw ZipArchive.malformed("its pickle calls what is no function")
    }
    switch name {
    case Self.orderedDictionary where arguments.isEmpty: stack.append(.dictionary(PickleBox()))
    case Self.rebuildParameter where !arguments.isEmpty: stack.append(arguments[0])
    case Self.rebuildTensor:
      guard arguments.count >= 4, case .storage(let type, let key, let count) = arguments[0],
        let offset = arguments[1].integer, let shape = arguments[2].integers,
        let strides = arguments[3].integers, shape.count == strides.count
      else { throw ZipArchive.malformed("a tensor in it is described wrongly") }
      stack.append(
        .tensor(
          PickleTensor(
            type: type, key: key, storageCount: count, offset: offset, shape: shape,
            strides: strides)))
    default: throw ZipArchive.malformed("its pickle calls \(name) wrongly")
    }
  }

  // MARK: The stack

  private func need<T>(_ value: T?) throws -> T {
    guard let value else { throw ZipArchive.malformed("its pickle is cut off") }
    return value
  }

  private func top() throws -> PickleValue { try need(stack.last) }

  private mutating func pop() throws -> PickleValue {
    guard stack.count > (marks.last ?? 0) else {
      throw ZipArchive.malformed("its pickle takes more than there is")
    }
    return stack.removeLast()
  }

  private mutating func pop(_ count: Int) throws -> [PickleValue] {
    var items: [PickleValue] = []
    for _ in 0..<count { items.append(try pop()) }
    return items.reversed()
  }

  private mutating func popToMark() throws -> [PickleValue] {
    guard let mark = marks.popLast(), mark <= stack.count else {
      throw ZipArchive.malformed("its pickle takes more than there is")
    }
    let items = Array(stack[mark...])
    stack.removeSubrange(mark...)
    return items
  }

  private func append(_ items: [PickleValue]) throws {
    guard case .list(let box) = try top() else {
      throw ZipArchive.malformed("its pickle adds to what is no list")
    }
    box.items += items
  }

  private func set(_ items: [PickleValue]) throws {
    guard case .dictionary(let box) = try top(), items.count % 2 == 0 else {
      throw ZipArchive.malformed("its pickle adds to what is no dictionary")
    }
    for index in stride(from: 0, to: items.count, by: 2) {
      box.entries.append((items[index], items[index + 1]))
    }
  }
}
