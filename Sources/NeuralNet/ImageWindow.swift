import CVectorMath

/// How a window moves over an image of `channels` x `height` x `width` vectors of rows: the geometry
/// of convolutions and pooling. A one-dimensional sequence is an image of height 1.
struct ImageWindow: Sendable {
  var channels: Int
  var height: Int
  var width: Int
  var kernel: (height: Int, width: Int)
  var stride: (height: Int, width: Int)
  var padding: (height: Int, width: Int)
  var dilation: (height: Int, width: Int)
  /// Places of the window.
  var rows = 0
  var columns = 0

  /// Errors: a window that fits nowhere.
  init(_ arguments: LayerArguments, _ input: Shape, kernel defaultStride: Bool = false) throws {
    let axes = input.dimensions.count - 1
    guard axes == 1 || axes == 2 else {
      throw arguments.error(
        "expects an input of shape [channels, height, width] or [channels, steps], got \(input)",
        hint: "put reshape(…) before it")
    }
    func pair(_ key: String, _ low: Int) throws -> (Int, Int) {
      let given = try arguments.pair(key, atLeast: low)
      // The first axis of a sequence does not exist.
      return axes == 2 ? given : (key == "padding" ? 0 : 1, given.1)
    }
    channels = input.dimensions[0]
    height = axes == 2 ? input.dimensions[1] : 1
    width = input.dimensions[axes]
    kernel = try pair("kernel_size", 1)
    stride = kernel
    if !defaultStride || arguments.has("stride") { stride = try pair("stride", 1) }
    padding = try pair("padding", 0)
    dilation = try arguments.has("dilation") ? pair("dilation", 1) : (1, 1)
  }

  /// How often a window of that extent fits, in the last place beyond the edge where `ceiling`.
  static func places(
    _ extent: Int, _ kernel: Int, _ stride: Int, _ padding: Int, _ dilation: Int,
    ceiling: Bool = false
  ) -> Int {
    let span = dilation * (kernel - 1) + 1
    let room = extent + 2 * padding - span
    guard room >= 0 else { return 0 }
    let count = (room + (ceiling ? stride - 1 : 0)) / stride + 1
    // A last window that begins in the padding is none.
    return ceiling && (count - 1) * stride >= extent + padding ? count - 1 : count
  }

  /// Places from the extents.
  mutating func place(_ arguments: LayerArguments, _ input: Shape, ceiling: Bool = false) throws {
    rows = Self.places(
      height, kernel.height, stride.height, padding.height, dilation.height, ceiling: ceiling)
    columns = Self.places(
      width, kernel.width, stride.width, padding.width, dilation.width, ceiling: ceiling)
    guard rows > 0, columns > 0 else {
      throw arguments.error(
        "a window of \(Shape([kernel.height, kernel.width])) does not fit an input of \(input)")
    }
  }

  var placeCount: Int { rows * columns }
  var pixelCount: Int { height * width }
  var kernelCount: Int { kernel.height * kernel.width }

  /// The pixel under a tap of the window at a place; nil in the padding.
  func pixel(place: Int, tap: Int) -> Int? {
    let y = place / columns * stride.height - padding.height + tap / kernel.width * dilation.height
    let x = place % columns * stride.width - padding.width + tap % kernel.width * dilation.width
    return y >= 0 && y < height && x >= 0 && x < width ? y * width + x : nil
  }

  /// Copies the values under the window: [channels, taps] vectors.
  func gather(
    _ image: UnsafePointer<Float>, place: Int, channels: Range<Int>,
    into patch: UnsafeMutablePointer<Float>, rows count: Int, stride: Int
  ) {
    for tap in 0..<kernelCount {
      let pixel = pixel(place: place, tap: tap)
      for (index, channel) in channels.enumerated() {
        let target = patch + (index * kernelCount + tap) * stride
        if let pixel {
          target.update(from: image + (channel * pixelCount + pixel) * stride, count: count)
        } else {
          target.update(repeating: 0, count: count)
        }
      }
    }
  }
}

extension ImageWindow {
  /// Adds what `gather` would have copied.
  func scatter(
    _ patch: UnsafePointer<Float>, place: Int, channels: Range<Int>,
    into image: UnsafeMutablePointer<Float>, rows count: Int, stride: Int
  ) {
    for tap in 0..<kernelCount {
      guard let pixel = pixel(place: place, tap: tap) else { continue }
      for (index, channel) in channels.enumerated() {
        apus_add_scaled(
          patch + (index * kernelCount + tap) * stride,
          image + (channel * pixelCount + pixel) * stride, count, 1)
      }
    }
  }
}
