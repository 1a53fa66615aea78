/// Every loss, by name. Adding one: its file here, and its line below.
package let lossTable: [LossDefinition] = [
  .binaryCrossEntropy,
  .binaryCrossEntropyOfProbabilities,
  .binaryCrossEntropyWithLogits,
  .cosineDistance,
  .cosineEmbedding,
  .crossEntropy,
  .huber,
  .kullbackLeibler,
  .meanAbsoluteError,
  .meanSquaredError,
  .negativeLogLikelihood,
  .smoothL1,
]
