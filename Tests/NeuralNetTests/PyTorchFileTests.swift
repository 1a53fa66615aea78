import Diagnostics
import Testing

@testable import NeuralNet

/// PyTorch's files: what is written is read again, and bytes that somebody damaged are an error.
struct PyTorchFileTests {
  private let tensors = [
    NamedTensor(name: "0.weight", shape: [2, 3], values: [1, 2, 3, -4, 0.5, 1e-20]),
    NamedTensor(name: "0.bias", shape: [2], values: [.infinity, -0.0]),
    NamedTensor(name: "norm.running_mean", shape: [], values: [7]),
  ]

  @Test func writesWhatItReads() throws {
    let read = try PyTorchFile.read(PyTorchFile.write(tensors))
    #expect(read.map(\.name) == tensors.map(\.name))
    #expect(read.map(\.shape) == tensors.map(\.shape))
    #expect(read.map { $0.values.map(\.bitPattern) } == tensors.map { $0.values.map(\.bitPattern) })
  }

  @Test func everyTruncationIsAnError() {
    let bytes = PyTorchFile.write(tensors)
    for length in 0..<bytes.count {
      #expect(throws: SQLError.self) { try PyTorchFile.read(Array(bytes[..<length])) }
    }
  }

  /// The checksum sees a changed byte of an entry, and nothing in the directory is trusted.
  @Test func changedBytesDoNotTrap() {
    let bytes = PyTorchFile.write(tensors)
    for position in bytes.indices {
      for value: UInt8 in [0, 0x7F, 0xFF] {
        var changed = bytes
        changed[position] = value
        do {
          let read = try PyTorchFile.read(changed)
          #expect(read.count <= tensors.count)
        } catch {
          #expect(error is SQLError)
        }
      }
    }
  }

  @Test(arguments: [
    ("cposix\nsystem\n(X\u{4}\u{0}\u{0}\u{0}truetR.", "posix.system"),
    ("cbuiltins\neval\n.", "builtins.eval"),
    ("ctorch.nn.modules.linear\nLinear\n)R.", "torch.nn.modules.linear.Linear"),
  ])
  func nothingIsExecuted(pickle: String, name: String) throws {
    let file = ZipArchive.write([("archive/data.pkl", Array(pickle.utf8))])
    let error = #expect(throws: SQLError.self) { try PyTorchFile.read(file) }
    #expect(error?.message.contains(name) == true)
  }

  @Test func aTensorMayNotLeaveItsValues() throws {
    // Shape [2], stride 1 << 40, in a storage of one value.
    let pickle: [UInt8] =
      Array(
        "ccollections\nOrderedDict\n)R(X\u{1}\u{0}\u{0}\u{0}actorch._utils\n_rebuild_tensor_v2\n(("
          .utf8)
      + Array(
        "X\u{7}\u{0}\u{0}\u{0}storagectorch\nFloatStorage\nX\u{1}\u{0}\u{0}\u{0}0X\u{3}\u{0}\u{0}\u{0}cpuK\u{1}tQK\u{0}K\u{2}"
          .utf8)
      + [0x85, 0x8a, 6, 0, 0, 0, 0, 0, 1, 0x85, 0x89] + Array("NtRu.".utf8)
    let file = ZipArchive.write([
      ("archive/data.pkl", pickle), ("archive/data/0", [0, 0, 0, 0]),
    ])
    let error = #expect(throws: SQLError.self) { try PyTorchFile.read(file) }
    #expect(error?.message.contains("outside its values") == true)
  }
}
