/// A layer of a model, as SQL writes it: `.linear(64)`, `"conv2d(32, kernel_size => 3)"`.
public struct Layer: Sendable, ExpressibleByStringLiteral {
  let sql: String

  /// Any layer of CREATE MODEL.
  public init(_ sql: String) { self.sql = sql }
  public init(stringLiteral sql: String) { self.sql = sql }

  public static func linear(_ width: Int) -> Layer { Layer("linear(\(width))") }
  public static func dropout(_ probability: Double) -> Layer { Layer("dropout(\(probability))") }
  public static func lstm(_ width: Int, layers: Int = 1) -> Layer {
    Layer("lstm(\(width), num_layers => \(layers))")
  }
  public static func reshape(_ extents: Int...) -> Layer {
    Layer("reshape(\(extents.map(String.init).joined(separator: ", ")))")
  }
  public static let last = Layer("last()")
  public static let relu = Layer("relu()")
  public static let gelu = Layer("gelu()")
  public static let tanh = Layer("tanh()")
  public static let sigmoid = Layer("sigmoid()")
  public static let softmax = Layer("softmax()")
  public static let batchNorm = Layer("batchnorm()")
  public static let layerNorm = Layer("layernorm()")
}
