let statisticalAggregates: [AggregateFunction] = []
