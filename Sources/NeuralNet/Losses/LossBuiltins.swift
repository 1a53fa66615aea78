/// Every loss, by name. Adding one: its file here, and its line below.
package let lossTable: [LossDefinition] = [
  .binaryCrossEntropy,
  .binaryCrossEntropyWithLogits,
  .crossEntropy,
  .huber,
  .meanAbsoluteError,
  .meanSquaredError,
  .negativeLogLikelihood,
  .smoothL1,
]
