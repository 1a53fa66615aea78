import CVectorMath

extension LayerDefinition {
  static let averagePool = LayerDefinition(
    "avg_pool2d", aliases: ["avgpool2d", "avg_pool1d", "avgpool1d"],
    parameters: [
      LayerParameter("kernel_size", .integer(2)), LayerParameter("stride", isOptional: true),
      LayerParameter("padding", .integer(0)), LayerParameter("ceil_mode", .boolean(false)),
      LayerParameter("count_include_pad", .boolean(true)),
    ],
    summary: "The mean under each window; the stride is the kernel's size unless given.",
    example: "avg_pool2d(2)"
  ) { arguments, input in
    var window = try ImageWindow(arguments, input, kernel: true)
    guard 2 * window.padding.height <= window.kernel.height,
      2 * window.padding.width <= window.kernel.width
    else { throw arguments.error("needs a padding of at most half the kernel's size") }
    try window.place(arguments, input, ceiling: arguments.boolean("ceil_mode"))
    let taps = window.averageTaps(countsPadding: try arguments.boolean("count_include_pad"))
    return window.mapped(taps, to: window.pooled(input))
  }

  static let globalAveragePool = LayerDefinition(
    "global_avg_pool", aliases: ["global_average_pooling2d"],
    summary: "The mean of each channel: [channels, …] gives [channels].",
    example: "global_avg_pool()"
  ) { arguments, input in
    var window = try ImageWindow(whole: arguments, input)
    window.rows = 1
    window.columns = 1
    return window.mapped(
      window.averageTaps(countsPadding: false), to: Shape([window.channels]))
  }

  static let adaptiveAveragePool = LayerDefinition(
    "adaptive_avg_pool2d", aliases: ["adaptive_avg_pool1d", "adaptiveavgpool2d"],
    parameters: [LayerParameter("size", .integer(1))],
    summary: "Means over as many windows as asked for, which may overlap: size => [3, 2].",
    example: "adaptive_avg_pool2d(1)"
  ) { arguments, input in
    var window = try ImageWindow(whole: arguments, input)
    let size = try arguments.pair("size", atLeast: 1)
    window.rows = input.dimensions.count == 2 ? 1 : size.0
    window.columns = size.1
    var taps: [SpatialTap] = []
    for place in 0..<window.placeCount {
      let row = place / window.columns
      let column = place % window.columns
      let top = row * window.height / window.rows
      let bottom = ((row + 1) * window.height + window.rows - 1) / window.rows
      let left = column * window.width / window.columns
      let right = ((column + 1) * window.width + window.columns - 1) / window.columns
      for y in top..<bottom {
        for x in left..<right {
          taps.append(
            SpatialTap(
              output: place, input: y * window.width + x,
              weight: 1 / Float((bottom - top) * (right - left))))
        }
      }
    }
    return window.mapped(taps, to: window.pooled(input))
  }

  static let upsample = LayerDefinition(
    "upsample",
    parameters: [LayerParameter("scale", .integer(2)), LayerParameter("mode", .text("nearest"))],
    summary: "A larger image, by repeating pixels or between them: mode => 'bilinear'.",
    example: "upsample(2)"
  ) { arguments, input in
    var window = try ImageWindow(whole: arguments, input)
    let mode = try arguments.text("mode")
    guard mode == "nearest" || mode == "bilinear" else {
      throw arguments.error("needs 'nearest' or 'bilinear' for \"mode\", got '\(mode)'")
    }
    let scale = try arguments.pair("scale", atLeast: 1)
    let down = input.dimensions.count == 2 ? 1 : scale.0
    _ = try Shape([window.channels, window.height, window.width, down, scale.1]).elementCount()
    window.rows = window.height * down
    window.columns = window.width * scale.1
    var taps: [SpatialTap] = []
    for place in 0..<window.placeCount {
      let vertical = shares(place / window.columns, down, window.height, mode)
      let horizontal = shares(place % window.columns, scale.1, window.width, mode)
      for (y, a) in vertical {
        for (x, b) in horizontal where a * b > 0 {
          taps.append(SpatialTap(output: place, input: y * window.width + x, weight: a * b))
        }
      }
    }
    return window.mapped(taps, to: window.pooled(input))
  }

  /// The pixels of an axis that a pixel of the larger image is made of; centres are aligned, as
  /// with PyTorch's align_corners = False.
  private static func shares(_ place: Int, _ scale: Int, _ extent: Int, _ mode: String)
    -> [(Int, Float)]
  {
    if mode == "nearest" { return [(place / scale, 1)] }
    let center = max(0, (Float(place) + 0.5) / Float(scale) - 0.5)
    let low = min(Int(center), extent - 1)
    let part = center - Float(low)
    return [(low, 1 - part), (min(low + 1, extent - 1), part)]
  }
}

/// A share of an input pixel in an output pixel.
struct SpatialTap: Sendable {
  var output: Int
  var input: Int
  var weight: Float
}

extension ImageWindow {
  fileprivate func mapped(_ taps: [SpatialTap], to output: Shape) -> MadeLayer {
    MadeLayer(
      output: output, flopsPerRow: 2 * channels * taps.count,
      operation: SpatialMapOperator(
        channels: channels, inputs: pixelCount, outputs: placeCount, taps: taps))
  }
}

/// A fixed linear map of the pixels, the same for every channel: means and interpolations.
struct SpatialMapOperator: LayerOperator {
  let channels: Int
  let inputs: Int
  let outputs: Int
  let taps: [SpatialTap]

  func forward(_ run: LayerRun) {
    run.output.update(repeating: 0, count: run.outputWidth * run.stride)
    for channel in 0..<channels {
      for tap in taps {
        apus_add_scaled(
          run.input + (channel * inputs + tap.input) * run.stride,
          run.output + (channel * outputs + tap.output) * run.stride, run.rows, tap.weight)
      }
    }
  }

  func backward(_ run: LayerRun) {
    guard let inputGradient = run.inputGradient else { return }
    inputGradient.update(repeating: 0, count: run.inputWidth * run.stride)
    for channel in 0..<channels {
      for tap in taps {
        apus_add_scaled(
          run.outputGradient + (channel * outputs + tap.output) * run.stride,
          inputGradient + (channel * inputs + tap.input) * run.stride, run.rows, tap.weight)
      }
    }
  }
}
