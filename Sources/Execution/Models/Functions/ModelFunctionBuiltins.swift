/// Every function in FROM that looks into a model, by name.
let modelFunctionTable: [ModelFunction] = [
  .featureInfo,
  .trainingInfo,
  .weights,
]
