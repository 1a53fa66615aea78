/// Every function in FROM that looks into a model, by name.
let modelFunctionTable: [ModelFunction] = [
  .explainPredict,
  .featureImportance,
  .featureInfo,
  .trainingInfo,
  .weights,
]
