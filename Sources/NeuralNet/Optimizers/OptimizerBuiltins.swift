/// Every optimizer, by name. Adding one: its file here, and its line below.
package let optimizerTable: [OptimizerDefinition] = [
  .adadelta,
  .adagrad,
  .adam,
  .adamax,
  .adamw,
  .nadam,
  .radam,
  .rmsprop,
  .rprop,
  .stochasticGradientDescent,
]
