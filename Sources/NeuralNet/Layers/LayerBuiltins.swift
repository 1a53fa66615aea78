/// Every layer, by name. Adding one: its file here, and its line below.
package let layerTable: [LayerDefinition] = [
  .dropout,
  .elu,
  .gelu,
  .leakyRelu,
  .linear,
  .logSoftmax,
  .relu,
  .sigmoid,
  .silu,
  .softmax,
  .softplus,
  .tanh,
]
