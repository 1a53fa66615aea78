extension ImageWindow {
  /// One window that covers the whole image.
  init(whole arguments: LayerArguments, _ input: Shape) throws {
    guard input.dimensions.count == 2 || input.dimensions.count == 3 else {
      throw arguments.error(
        "expects an input of shape [channels, height, width] or [channels, steps], got \(input)")
    }
    channels = input.dimensions[0]
    height = input.dimensions.count == 3 ? input.dimensions[1] : 1
    width = input.dimensions[input.dimensions.count - 1]
    kernel = (height, width)
    stride = kernel
    padding = (0, 0)
    dilation = (1, 1)
  }

  /// The shape of one value per place.
  func pooled(_ input: Shape) -> Shape {
    Shape(input.dimensions.count == 2 ? [channels, columns] : [channels, rows, columns])
  }

  var poolingFlops: Int { channels * placeCount * kernelCount }

  /// The mean under each window, as taps. The padding counts as zeros, or not at all; what a last
  /// window of ceil_mode reaches beyond the padding never counts.
  func averageTaps(countsPadding: Bool) -> [SpatialTap] {
    var taps: [SpatialTap] = []
    for place in 0..<placeCount {
      let pixels = (0..<kernelCount).compactMap { pixel(place: place, tap: $0) }
      var count = pixels.count
      if countsPadding {
        let top = place / columns * stride.height - padding.height
        let left = place % columns * stride.width - padding.width
        count =
          (min(top + kernel.height, height + padding.height) - top)
          * (min(left + kernel.width, width + padding.width) - left)
      }
      for pixel in pixels {
        taps.append(SpatialTap(output: place, input: pixel, weight: 1 / Float(max(1, count))))
      }
    }
    return taps
  }
}
