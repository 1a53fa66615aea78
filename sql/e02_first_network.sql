-- E2 · The guide's first network: ten numbers as one vector, 64 units, one output.
-- Run it from the top folder: apus -f sql/e02_first_network.sql

CREATE TABLE data AS
SELECT v::FLOAT[10] AS x, (v[1] - 2 * v[4] + v[10])::FLOAT AS y
FROM (SELECT [split_hash(i * 10 + j, 7) FOR j IN range(10)] AS v FROM range(1000) r(i));

CREATE MODEL reg INPUT (x FLOAT[10]) OUTPUT (y FLOAT)
  SEQUENTIAL (linear(10, 64), relu(), linear(64, 1))
  OPTIONS (optimizer = 'adam', loss = 'mse', epochs = 100, batch_size = 'full', learning_rate = 0.01);

WITH history AS (TRAIN MODEL reg FROM data)
SELECT epoch, round(loss, 2) AS loss FROM history WHERE epoch IN (1, 100);

SELECT rows, round(r2, 2) AS r2 FROM (EVALUATE MODEL reg FROM data METRICS (r2));
