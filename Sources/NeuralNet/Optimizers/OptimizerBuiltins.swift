/// Every optimizer, by name. Adding one: its file here, and its line below.
package let optimizerTable: [OptimizerDefinition] = [
  .adam,
  .adamw,
  .stochasticGradientDescent,
]
