let orderedAggregates: [AggregateFunction] = []
