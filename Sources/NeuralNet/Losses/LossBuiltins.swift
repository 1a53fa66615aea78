/// Every loss, by name. Adding one: its file here, and its line below.
package let lossTable: [LossDefinition] = [
  .binaryCrossEntropy,
  .binaryCrossEntropyWithLogits,
  .cosineDistance,
  .crossEntropy,
  .huber,
  .kullbackLeibler,
  .meanAbsoluteError,
  .meanSquaredError,
  .negativeLogLikelihood,
  .smoothL1,
]
